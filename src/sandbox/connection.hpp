#pragma once

#include "sandbox/httplib.hpp"

#include <array>
#include <chrono>
#include <mutex>
#include <set>
#include <string>

namespace tektii::sandbox {

// A connected socket (borrowed) as cpp-httplib reads and writes it. The library's own stream class is not in its public
// header; this one also reads ahead in larger pieces, which matters for uploads of many megabytes.
class ConnectionStream : public httplib::Stream {
 public:
  ConnectionStream(int socket, std::chrono::milliseconds timeout) : socket_(socket), timeout_(timeout) {}

  // Waits for the first byte of the next request; false when none came in time or the peer closed.
  bool wait_for_request(std::chrono::milliseconds timeout);

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  bool fill();

  int socket_;
  std::chrono::milliseconds timeout_;  // of one read or write
  std::array<char, 64 * 1024> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// The open connections of a server, so that its end need not wait for clients that keep theirs alive.
class ConnectionSet {
 public:
  // False when the server is closing: the caller closes the socket.
  bool add(int socket);
  // Takes the socket out and closes it.
  void remove_and_close(int socket);
  // Shuts every connection down, now and in the future; the threads that own them see the end of the stream.
  void close_all();

 private:
  std::mutex mutex_;
  std::set<int> sockets_;
  bool closing_ = false;
};

}  // namespace tektii::sandbox
