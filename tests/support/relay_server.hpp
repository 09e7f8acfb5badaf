#pragma once

#include "support/certificates.hpp"
#include <tektii/util/fd.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tektii::testing {

// What a relay listens with: one thread per connection on an ephemeral port of 127.0.0.1.
class RelayServer {
 public:
  RelayServer();
  RelayServer(const RelayServer&) = delete;
  RelayServer& operator=(const RelayServer&) = delete;
  virtual ~RelayServer();

  std::uint16_t port() const { return port_; }
  std::string name() const { return "127.0.0.1:" + std::to_string(port_); }

 protected:
  void listen();
  // Ends every connection; to be called by the destructor of what implements serve().
  void end();
  virtual void serve(int connection) = 0;

 private:
  void accept_loop();

  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// TLS in front of a server on this machine that speaks without.
class TlsServer : public RelayServer {
 public:
  struct Options {
    MadeCertificate certificate;
    std::optional<std::filesystem::path> client_authority = std::nullopt;  // a certificate signed by it is wanted
    bool only_tls_1_2 = false;
  };
  TlsServer(Options options, std::uint16_t backend);
  ~TlsServer() override;

  // The protocols that clients offered (ALPN), comma separated, one entry per handshake.
  std::vector<std::string> offers() const;
  int client_certificates() const { return client_certificates_; }

 private:
  void serve(int connection) override;
  static int choose_protocol(void* ssl, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                             unsigned int length, void* self);

  Options options_;
  std::uint16_t backend_;
  void* context_ = nullptr;  // SSL_CTX
  mutable std::mutex offers_mutex_;
  std::vector<std::string> offers_;
  std::atomic<int> client_certificates_{0};
};

// Passes on what is no TLS, as servers do that know the difference.
class PlainServer : public RelayServer {
 public:
  explicit PlainServer(std::uint16_t backend);
  ~PlainServer() override;

 private:
  void serve(int connection) override;

  std::uint16_t backend_;
};

// A proxy: CONNECT to any host ends at one server of this machine; a request for a URL is answered with 200 and "{}".
class ProxyServer : public RelayServer {
 public:
  struct Options {
    std::string login = {};  // "user:password" that is wanted
    int connect_status = 200;
  };
  explicit ProxyServer(std::uint16_t backend) : ProxyServer(backend, Options{}) {}
  ProxyServer(std::uint16_t backend, Options options);
  ~ProxyServer() override;

  std::vector<std::string> lines() const;  // "CONNECT registry.test:443 HTTP/1.1"

 private:
  void serve(int connection) override;

  std::uint16_t backend_;
  Options options_;
  mutable std::mutex lines_mutex_;
  std::vector<std::string> lines_;
};

}  // namespace tektii::testing
