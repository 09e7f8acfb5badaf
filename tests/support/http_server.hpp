#pragma once

#include <tektii/util/fd.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace tektii::testing {

struct ServerRequest {
  std::string method;
  std::string target;  // path and query as sent
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int connection = 0;  // counts the connections, from 1

  std::string path() const { return target.substr(0, target.find('?')); }
  // The decoded value of a query parameter.
  std::optional<std::string> query(std::string_view name) const;
  std::vector<std::string> all_queries(std::string_view name) const;
  std::optional<std::string> header(std::string_view name) const;
  std::string line() const { return method + " " + target; }
};

struct ServerResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};

  // Faults.
  std::optional<std::string> raw = std::nullopt;  // sent instead of everything above, then the connection is closed
  std::optional<std::uint64_t> claimed_length = std::nullopt;  // Content-Length when it should differ from the body's
  bool close_connection = false;                               // after the answer
  bool drop = false;                                           // close without an answer
  bool reset = false;                                          // with `drop` or `close_connection`: RST instead of FIN
  std::chrono::milliseconds delay{0};                          // before the answer
  std::chrono::milliseconds stall_after_head{0};               // between the header block and the body
};

// A small HTTP/1.1 server on an ephemeral port of 127.0.0.1, one thread per connection, for tests that need to
// misbehave on purpose. The handler runs on the connection threads, one call at a time.
class HttpServer {
 public:
  using Handler = std::function<ServerResponse(const ServerRequest&)>;
  // Asked once the header block is read; an answer is sent without reading the body, and the connection is closed.
  using EarlyHandler = std::function<std::optional<ServerResponse>(const ServerRequest&)>;

  explicit HttpServer(Handler handler, EarlyHandler early = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  std::uint16_t port() const { return port_; }
  std::string host_port() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(std::string_view path = "") const { return "http://" + host_port() + std::string(path); }

  // Every request so far, in order of arrival.
  std::vector<ServerRequest> requests() const;
  // "GET /v2/" and so on.
  std::vector<std::string> lines() const;
  int count(std::string_view method, std::string_view path_prefix = "") const;
  void clear_requests();

 private:
  void accept_loop();
  void serve(int fd, int connection);
  bool serve_one(int fd, int connection, std::string& buffer);
  bool answer(int fd, const ServerRequest& request, const ServerResponse& response);

  Handler handler_;
  EarlyHandler early_;
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::mutex handler_mutex_;
  std::vector<ServerRequest> requests_;
  std::vector<int> open_connections_;
  std::vector<std::thread> connection_threads_;
  std::thread acceptor_;
};

}  // namespace tektii::testing
