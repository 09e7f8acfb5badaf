#include "standard_input.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace tektii::cli {
namespace {

constexpr int k_poll_milliseconds = 100;

class StandardInput : public ByteSource {
 public:
  StandardInput(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}

  std::size_t read(std::span<std::byte> out) override {
    while (true) {
      throw_if_stopped(stop_);
      pollfd ready{fd_, POLLIN, 0};
      const int count = ::poll(&ready, 1, k_poll_milliseconds);
      if (count == 0 || (count < 0 && errno == EINTR)) continue;
      if (count < 0) throw_errno("read standard input");
      const ssize_t n = ::read(fd_, out.data(), out.size());
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR && errno != EAGAIN) throw_errno("read standard input");
    }
  }

 private:
  int fd_;
  std::stop_token stop_;
};

}  // namespace

std::unique_ptr<ByteSource> open_standard_input(int fd, const std::string& what, const std::stop_token& stop) {
  if (::isatty(fd) == 1) {
    throw Error(ErrorKind::usage, fmt::format("{} is to be read from standard input, which is a terminal", what))
        .add_hint("pipe it in (tar -c . | tektii build -, tektii build - < Dockerfile), or name a directory");
  }
  return std::make_unique<StandardInput>(fd, stop);
}

}  // namespace tektii::cli
