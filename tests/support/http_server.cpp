#include "support/http_server.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace tektii::testing {

namespace {

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

bool send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Appends what arrives; false at the end of the stream.
bool receive_more(int fd, std::string& buffer) {
  std::array<char, 65536> chunk{};
  const ssize_t n = ::recv(fd, chunk.data(), chunk.size(), 0);
  if (n <= 0) return false;
  buffer.append(chunk.data(), static_cast<std::size_t>(n));
  return true;
}

ServerRequest parse_head(std::string_view head) {
  ServerRequest request;
  bool first = true;
  for (const std::string& line : split(head, '\n')) {
    const std::string_view text = trim(line);
    if (first) {
      const auto parts = split(text, ' ');
      if (parts.size() >= 2) {
        request.method = parts[0];
        request.target = parts[1];
      }
      first = false;
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
      request.headers.emplace_back(std::string(trim(text.substr(0, colon))), std::string(trim(text.substr(colon + 1))));
    }
  }
  return request;
}

void reset_on_close(int fd) {
  const linger abort{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

}  // namespace

std::vector<std::string> ServerRequest::all_queries(std::string_view name) const {
  std::vector<std::string> values;
  const auto question = target.find('?');
  if (question == std::string::npos) return values;
  for (const std::string& pair : split(std::string_view(target).substr(question + 1), '&')) {
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      values.push_back(equals == std::string::npos ? "" : percent_decode(std::string_view(pair).substr(equals + 1)));
    }
  }
  return values;
}

std::optional<std::string> ServerRequest::query(std::string_view name) const {
  const auto values = all_queries(name);
  return values.empty() ? std::nullopt : std::optional<std::string>(values.front());
}

std::optional<std::string> ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

HttpServer::HttpServer(Handler handler, EarlyHandler early) : handler_(std::move(handler)), early_(std::move(early)) {
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw_errno("test server");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_connections_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : connection_threads_) thread.join();
}

std::vector<ServerRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> HttpServer::lines() const {
  std::vector<std::string> lines;
  for (const ServerRequest& request : requests()) lines.push_back(request.line());
  return lines;
}

int HttpServer::count(std::string_view method, std::string_view path_prefix) const {
  int n = 0;
  for (const ServerRequest& request : requests()) {
    if (request.method == method && request.target.starts_with(path_prefix)) ++n;
  }
  return n;
}

void HttpServer::clear_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

void HttpServer::accept_loop() {
  int connection = 0;
  while (!stopping_) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const std::lock_guard lock(mutex_);
    open_connections_.push_back(fd);
    connection_threads_.emplace_back([this, fd, number = ++connection] { serve(fd, number); });
  }
}

void HttpServer::serve(int fd, int connection) {
  std::string buffer;
  while (!stopping_ && serve_one(fd, connection, buffer)) {
  }
  const std::lock_guard lock(mutex_);
  open_connections_.erase(std::find(open_connections_.begin(), open_connections_.end(), fd));
  ::close(fd);
}

bool HttpServer::serve_one(int fd, int connection, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_more(fd, buffer)) return false;
  }
  ServerRequest request = parse_head(std::string_view(buffer).substr(0, end));
  request.connection = connection;
  buffer.erase(0, end + 4);
  if (early_) {
    if (auto response = early_(request)) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      answer(fd, request, *response);
      return false;
    }
  }
  const auto length = static_cast<std::size_t>(parse_int(request.header("Content-Length").value_or("0")).value_or(0));
  while (buffer.size() < length) {
    if (!receive_more(fd, buffer)) return false;
  }
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  ServerResponse response;
  {
    const std::lock_guard one_at_a_time(handler_mutex_);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    response = handler_(request);
  }
  return answer(fd, request, response);
}

bool HttpServer::answer(int fd, const ServerRequest& request, const ServerResponse& response) {
  for (auto waited = std::chrono::milliseconds(0); waited < response.delay && !stopping_;
       waited += std::chrono::milliseconds(5)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (response.reset) reset_on_close(fd);
  if (response.drop) return false;
  if (response.raw) {
    send_all(fd, *response.raw);
    return false;
  }
  std::string head = fmt::format("HTTP/1.1 {} Test\r\n", response.status);
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  const bool has_length = std::any_of(response.headers.begin(), response.headers.end(), [](const auto& header) {
    return equals_ignoring_case(header.first, "Content-Length");
  });
  if (!has_length) {
    head += fmt::format("Content-Length: {}\r\n", response.claimed_length.value_or(response.body.size()));
  }
  if (response.close_connection) head += "Connection: close\r\n";
  head += "\r\n";
  const bool sends_body = request.method != "HEAD";
  if (response.stall_after_head.count() > 0) {
    if (!send_all(fd, head)) return false;
    for (auto waited = std::chrono::milliseconds(0); waited < response.stall_after_head && !stopping_;
         waited += std::chrono::milliseconds(5)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    head.clear();
  }
  if (!send_all(fd, head + (sends_body ? response.body : std::string()))) return false;
  const bool complete = !response.claimed_length || *response.claimed_length == response.body.size();
  return complete && !response.close_connection && !response.reset;
}

}  // namespace tektii::testing
