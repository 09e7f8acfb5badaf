#include "support/relay_server.hpp"

#include <tektii/util/text.hpp>

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace tektii::testing {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool send_text(int fd, const std::string& text) {
  return send_all(fd, text.data(), text.size());
}

// Bytes both ways until one side ends.
void relay(int a, int b) {
  std::array<char, 65536> buffer{};
  while (true) {
    std::array<pollfd, 2> waits{pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0) return;
    for (std::size_t i = 0; i < 2; ++i) {
      if ((waits[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      const auto got = ::recv(waits[i].fd, buffer.data(), buffer.size(), 0);
      if (got <= 0 || !send_all(waits[1 - i].fd, buffer.data(), static_cast<std::size_t>(got))) return;
    }
  }
}

void relay(SSL* ssl, int plain) {
  std::array<char, 16384> buffer{};
  const int secured = SSL_get_fd(ssl);
  while (true) {
    std::array<pollfd, 2> waits{pollfd{secured, POLLIN, 0}, pollfd{plain, POLLIN, 0}};
    if (SSL_pending(ssl) == 0 && ::poll(waits.data(), waits.size(), -1) < 0) return;
    if (SSL_pending(ssl) > 0 || waits[0].revents != 0) {
      const int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0 || !send_all(plain, buffer.data(), static_cast<std::size_t>(got))) return;
    }
    if (waits[1].revents != 0) {
      const auto got = ::recv(plain, buffer.data(), buffer.size(), 0);
      if (got <= 0 || SSL_write(ssl, buffer.data(), static_cast<int>(got)) <= 0) return;
    }
  }
}

std::string read_head(int fd) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && head.size() < 65536) {
    if (::recv(fd, &byte, 1, 0) != 1) return {};
    head += byte;
  }
  return head;
}

}  // namespace

RelayServer::RelayServer() = default;
RelayServer::~RelayServer() = default;

void RelayServer::listen() {
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.get(), 16) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

void RelayServer::accept_loop() {
  while (true) {
    const int connection = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::lock_guard lock(mutex_);
    if (ending_) {
      ::close(connection);
      return;
    }
    open_.push_back(connection);
    threads_.emplace_back([this, connection] {
      serve(connection);
      const std::lock_guard own_lock(mutex_);
      std::erase(open_, connection);
      ::close(connection);
    });
  }
}

void RelayServer::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const int connection : open_) ::shutdown(connection, SHUT_RDWR);
  }
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  for (auto& thread : threads_) thread.join();
}

TlsServer::TlsServer(Options options, std::uint16_t backend) : options_(std::move(options)), backend_(backend) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that the client has closed
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  context_ = context;
  SSL_CTX_use_certificate_chain_file(context, options_.certificate.certificate.c_str());
  SSL_CTX_use_PrivateKey_file(context, options_.certificate.key.c_str(), SSL_FILETYPE_PEM);
  if (options_.only_tls_1_2) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (options_.client_authority) {
    SSL_CTX_load_verify_locations(context, options_.client_authority->c_str(), nullptr);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_alpn_select_cb(
      context,
      [](SSL* ssl, const unsigned char** out, unsigned char* out_length, const unsigned char* in, unsigned int length,
         void* self) { return choose_protocol(ssl, out, out_length, in, length, self); },
      this);
  listen();
}

TlsServer::~TlsServer() {
  end();
  SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

// Takes HTTP/2 where it is offered, which this server then can't speak.
int TlsServer::choose_protocol(void* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                               const unsigned char* in, unsigned int length, void* self) {
  std::string offered;
  *out = nullptr;
  for (unsigned int at = 0; at < length; at += in[at] + 1U) {
    const std::string name(reinterpret_cast<const char*>(in + at + 1), in[at]);
    offered += (offered.empty() ? "" : ",") + name;
    if (*out == nullptr || name == "h2") {
      *out = in + at + 1;
      *out_length = in[at];
    }
  }
  auto* server = static_cast<TlsServer*>(self);
  const std::lock_guard lock(server->offers_mutex_);
  server->offers_.push_back(offered);
  return *out == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

std::vector<std::string> TlsServer::offers() const {
  const std::lock_guard lock(offers_mutex_);
  return offers_;
}

void TlsServer::serve(int connection) {
  SSL* ssl = SSL_new(static_cast<SSL_CTX*>(context_));
  SSL_set_fd(ssl, connection);
  if (SSL_accept(ssl) == 1) {
    if (SSL_get0_peer_certificate(ssl) != nullptr) ++client_certificates_;
    if (const auto backend = connect_to(backend_); backend) relay(ssl, backend.get());
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
}

PlainServer::PlainServer(std::uint16_t backend) : backend_(backend) {
  listen();
}

PlainServer::~PlainServer() {
  end();
}

void PlainServer::serve(int connection) {
  constexpr char k_tls_handshake = 0x16;
  char first = 0;
  if (::recv(connection, &first, 1, MSG_PEEK) != 1 || first == k_tls_handshake) return;
  if (const auto backend = connect_to(backend_); backend) relay(connection, backend.get());
}

ProxyServer::ProxyServer(std::uint16_t backend, Options options) : backend_(backend), options_(std::move(options)) {
  listen();
}

ProxyServer::~ProxyServer() {
  end();
}

std::vector<std::string> ProxyServer::lines() const {
  const std::lock_guard lock(lines_mutex_);
  return lines_;
}

void ProxyServer::serve(int connection) {
  while (true) {
    const auto head = read_head(connection);
    if (head.empty()) return;
    {
      const std::lock_guard lock(lines_mutex_);
      lines_.push_back(head.substr(0, head.find('\r')));
    }
    const bool is_connect = head.starts_with("CONNECT ");
    const bool has_login = head.find("Basic " + base64_encode(options_.login)) != std::string::npos;
    if (!options_.login.empty() && !has_login) {
      send_text(connection,
                "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
                "Content-Length: 0\r\n\r\n");
      continue;
    }
    if (!is_connect) {
      send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
      continue;
    }
    send_text(connection, "HTTP/1.1 " + std::to_string(options_.connect_status) + " Answer\r\n" +
                              (options_.connect_status == 200 ? "" : "Content-Length: 0\r\n") + "\r\n");
    if (options_.connect_status != 200) continue;
    if (const auto backend = connect_to(backend_); backend) relay(connection, backend.get());
    return;
  }
}

}  // namespace tektii::testing
