#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tektii {

void UniqueFd::reset(int fd) {
  // close(2) is not retried on EINTR: on Linux the descriptor is gone already.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  for (;;) {
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (fd) return fd;
    if (errno != EINTR) throw_errno("open " + path.string());
  }
}

void write_fully(int fd, ByteSpan data, std::string_view what) {
  while (!data.empty()) {
    const auto count = ::write(fd, data.data(), data.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      throw_errno("write " + std::string(what));
    }
    data = data.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t FdSource::read(std::span<std::byte> out) {
  for (;;) {
    const auto count = ::read(fd_.get(), out.data(), out.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw_errno("read " + name_);
  }
}

void FdSink::write(ByteSpan data) {
  write_fully(fd_.get(), data, name_);
}

}  // namespace tektii
