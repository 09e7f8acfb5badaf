#pragma once

#include <tektii/util/stream.hpp>

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

namespace tektii {

// Owns a file descriptor; closes it in the destructor. -1 means none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// A pipe with O_CLOEXEC on both ends.
Pipe make_pipe();

// open(2) with O_CLOEXEC added; throws Error with the path.
UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0644);

// Writes all bytes, retrying on EINTR and short writes; `what` names the file in the error.
void write_fully(int fd, ByteSpan data, std::string_view what);

// Reads a file descriptor (owned) as a stream.
class FdSource : public ByteSource {
 public:
  FdSource(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  std::size_t read(std::span<std::byte> out) override;

 private:
  UniqueFd fd_;
  std::string name_;
};

// Writes to a file descriptor (owned). finish() does not sync.
class FdSink : public ByteSink {
 public:
  FdSink(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  void write(ByteSpan data) override;
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::string name_;
};

}  // namespace tektii
