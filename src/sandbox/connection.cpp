#include "sandbox/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tektii::sandbox {
namespace {

bool wait_for(int socket, short events, std::chrono::milliseconds timeout) {
  pollfd entry{socket, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

using NameFunction = int (*)(int, sockaddr*, socklen_t*);

void get_address(int socket, NameFunction function, std::string& ip, int& port) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (function(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sin_family != AF_INET) return;
  std::array<char, INET_ADDRSTRLEN> text{};
  if (::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size()) != nullptr) ip = text.data();
  port = ntohs(address.sin_port);
}

}  // namespace

bool ConnectionStream::wait_for_request(std::chrono::milliseconds timeout) {
  if (begin_ < end_) return true;
  return wait_for(socket_, POLLIN, timeout) && fill();
}

bool ConnectionStream::is_readable() const {
  return begin_ < end_ || wait_for(socket_, POLLIN, timeout_);
}

bool ConnectionStream::is_writable() const {
  return wait_for(socket_, POLLOUT, timeout_);
}

bool ConnectionStream::fill() {
  ssize_t count = 0;
  do {
    count = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
  } while (count < 0 && errno == EINTR);
  begin_ = 0;
  end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  return count > 0;
}

ssize_t ConnectionStream::read(char* data, size_t size) {
  if (begin_ == end_) {
    if (!wait_for(socket_, POLLIN, timeout_)) return -1;
    if (!fill()) return 0;
  }
  const std::size_t count = std::min(size, end_ - begin_);
  std::memcpy(data, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t ConnectionStream::write(const char* data, size_t size) {
  if (!is_writable()) return -1;
  ssize_t count = 0;
  do {
    count = ::send(socket_, data, size, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count;
}

void ConnectionStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  get_address(socket_, ::getpeername, ip, port);
}

void ConnectionStream::get_local_ip_and_port(std::string& ip, int& port) const {
  get_address(socket_, ::getsockname, ip, port);
}

bool ConnectionSet::add(int socket) {
  const std::lock_guard lock(mutex_);
  if (closing_) return false;
  sockets_.insert(socket);
  return true;
}

void ConnectionSet::remove_and_close(int socket) {
  // Closed under the lock: otherwise close_all() could shut down a newer connection that got the same number.
  const std::lock_guard lock(mutex_);
  sockets_.erase(socket);
  ::close(socket);
}

void ConnectionSet::close_all() {
  const std::lock_guard lock(mutex_);
  closing_ = true;
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

}  // namespace tektii::sandbox
