#include "sandbox/http_server.hpp"

#include "sandbox/connection.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <thread>

namespace tektii::sandbox {
namespace {

using namespace std::chrono_literals;

// Each connection occupies a thread while it is open; clients push with a handful, tests with a few dozen.
constexpr std::size_t k_threads = 64;
constexpr std::chrono::milliseconds k_keep_alive = 15s;  // an idle connection; shutdown does not wait for it
constexpr std::chrono::milliseconds k_io_timeout = 30s;  // a peer that stopped in the middle of a request
constexpr int k_backlog = 128;                           // the library listens with 5, too few for parallel pushes

class DiscardSink : public ByteSink {
 public:
  void write(ByteSpan) override {}
};

bool announces_body(const httplib::Request& request) {
  // A request with neither header has no body (RFC 9112 section 6.3); the library would read until the connection ends.
  return request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
}

// Reads all of the body even when the sink fails, so that the connection stays in step; the failure is thrown after.
bool stream_body(const httplib::ContentReader& reader, ByteSink& sink) {
  std::exception_ptr failure;
  const bool complete = reader([&](const char* data, size_t size) {
    if (failure) return true;
    try {
      sink.write(as_byte_span(std::string_view(data, size)));
    } catch (const Error&) {
      failure = std::current_exception();
    }
    return true;
  });
  if (failure) std::rethrow_exception(failure);
  return complete;
}

HttpRequest convert_request(const httplib::Request& request, const httplib::ContentReader* reader, bool& body_taken) {
  HttpRequest result;
  result.method = request.method;
  result.path = request.target.substr(0, request.target.find_first_of("?#"));  // the library's path is decoded
  result.query = {request.params.begin(), request.params.end()};
  for (const auto& [name, value] : request.headers) result.headers.try_emplace(to_lower(name), value);
  if (reader != nullptr && announces_body(request)) {
    result.body = [reader, &body_taken](ByteSink& sink) {
      body_taken = true;
      return stream_body(*reader, sink);
    };
  }
  return result;
}

// Serves exactly `size` bytes of the source; a source that ends early cuts the connection, which tells the client.
httplib::ContentProvider make_provider(std::shared_ptr<ByteSource> source) {
  return [source = std::move(source)](size_t, size_t length, httplib::DataSink& sink) {
    std::array<std::byte, 64 * 1024> buffer;
    try {
      const std::size_t count = source->read(std::span(buffer).first(std::min(buffer.size(), length)));
      if (count == 0) return false;
      return sink.write(reinterpret_cast<const char*>(buffer.data()), count);
    } catch (const Error& error) {
      spdlog::debug("sandbox: reading a blob failed: {}", error.what());
      return false;
    }
  };
}

// In the form of the API and in that of the registry at once: which one was called is not known here.
HttpReply internal_error(const char* what) {
  const nlohmann::json body = {{"error", {{"code", "internal"}, {"message", what}}},
                               {"errors", {{{"code", "UNKNOWN"}, {"message", what}}}}};
  return {.status = 500,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

void convert_reply(HttpReply&& reply, httplib::Response& response) {
  response.status = reply.status;
  for (auto& [name, value] : reply.headers) response.set_header(name, value);
  const std::string type = reply.content_type.empty() ? "application/octet-stream" : reply.content_type;
  if (reply.stream && reply.stream_size > 0) {
    response.set_content_provider(static_cast<size_t>(reply.stream_size), type, make_provider(std::move(reply.stream)));
  } else if (!reply.body.empty() || !reply.content_type.empty()) {
    response.set_content(reply.body, type);
  }
}

}  // namespace

class HttpServer::Listener : public httplib::Server {
 public:
  explicit Listener(HttpHandler handler) : handler_(std::move(handler)) {
    new_task_queue = [] { return new httplib::ThreadPool(k_threads); };
    set_payload_max_length(std::numeric_limits<size_t>::max());
    set_keep_alive_max_count(std::numeric_limits<int>::max());
    set_keep_alive_timeout(k_keep_alive / 1s);
    set_tcp_nodelay(true);
    // The default sets SO_REUSEPORT too, with which two sandboxes could share one port unnoticed.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    add_routes();
  }

  std::uint16_t bind(std::uint16_t port) {
    if (port == 0) {
      const int bound = bind_to_any_port("127.0.0.1");
      if (bound <= 0) throw Error(ErrorKind::failure, "cannot listen on 127.0.0.1");
      port = static_cast<std::uint16_t>(bound);
    } else if (!bind_to_port("127.0.0.1", port)) {
      throw Error(ErrorKind::failure, fmt::format("cannot listen on 127.0.0.1:{}", port))
          .add_hint("another program may use the port; without a port any free one is taken");
    }
    ::fcntl(svr_sock_, F_SETFD, FD_CLOEXEC);
    ::listen(svr_sock_, k_backlog);
    return port;
  }

  void start() {
    thread_ = std::thread([this] {
      listen_after_bind();
      ended_ = true;
    });
    // stop() does nothing before the loop runs, so the constructor must not return earlier.
    while (!is_running() && !ended_) std::this_thread::sleep_for(1ms);
  }

  void shut_down() {
    stop();
    connections_.close_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void add_routes() {
    const auto without_body = [this](const httplib::Request& request, httplib::Response& response) {
      serve(request, response, nullptr);
    };
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) { serve(request, response, &reader); };
    // One pattern per method: repository names hold slashes, so the routes take paths apart themselves. HEAD comes in
    // with GET.
    Get(".*", without_body);
    Options(".*", without_body);
    Post(".*", with_body);
    Put(".*", with_body);
    Patch(".*", with_body);
    Delete(".*", with_body);
  }

  void serve(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader* reader) {
    bool body_taken = false;
    HttpRequest converted = convert_request(request, reader, body_taken);
    HttpReply reply;
    try {
      reply = handler_(converted);
    } catch (const std::exception& error) {
      spdlog::debug("sandbox: {} {} failed: {}", request.method, request.path, error.what());
      reply = internal_error(error.what());
    }
    DiscardSink discard;
    if (converted.body && !body_taken) stream_body(*reader, discard);
    spdlog::debug("sandbox: {} {} -> {}", request.method, request.path, reply.status);
    convert_reply(std::move(reply), response);
  }

  bool process_and_close_socket(socket_t socket) override {
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    bool ok = true;
    if (connections_.add(socket)) {
      const auto stream = std::make_unique<ConnectionStream>(socket, k_io_timeout);
      bool closed = false;
      while (ok && !closed && stream->wait_for_request(k_keep_alive)) {
        // Ranges are for the routes: the library would cut error bodies and accept ranges beyond the end.
        ok = process_request(*stream, false, closed, [](httplib::Request& request) { request.ranges.clear(); });
      }
      ::shutdown(socket, SHUT_RDWR);
    }
    connections_.remove_and_close(socket);
    return ok;
  }

  HttpHandler handler_;
  ConnectionSet connections_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(std::uint16_t port, HttpHandler handler)
    : listener_(std::make_unique<Listener>(std::move(handler))) {
  port_ = listener_->bind(port);
  listener_->start();
}

HttpServer::~HttpServer() {
  listener_->shut_down();
}

}  // namespace tektii::sandbox
