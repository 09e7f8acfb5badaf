#include "layer/file_copier.hpp"

#include <tektii/util/error.hpp>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace tektii::layer {

namespace {

constexpr std::size_t k_buffer_size = std::size_t{256} << 10;
// So much at once that a stop is noticed soon.
constexpr std::uint64_t k_kernel_chunk = std::uint64_t{16} << 20;

// What the kernel answers where something can't be done at all, on these file systems or under this seccomp filter.
bool is_unsupported(int error_number) {
  switch (error_number) {
    case EOPNOTSUPP:
    case ENOTTY:
    case EXDEV:
    case EINVAL:
    case ENOSYS:
    case EPERM:
      return true;
    default:
      return false;
  }
}

void write_at(int fd, const std::byte* data, std::size_t size, std::uint64_t offset, const std::string& shown) {
  while (size > 0) {
    const ssize_t n = ::pwrite(fd, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno != EINTR) throw_errno("write " + shown);
    if (n <= 0) continue;
    data += n;
    size -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

void FileCopier::copy(int from, int to, std::uint64_t size, bool has_holes, const std::string& shown,
                      const std::stop_token& stop) {
  if (size == 0) return;
  if (try_clone_) {
    if (::ioctl(to, FICLONE, from) == 0) {
      ++cloned_;
      return;
    }
    if (!is_unsupported(errno)) throw_errno("clone " + shown);
    try_clone_ = false;
  }
  ++copied_;
  if (!has_holes) return copy_range(from, to, 0, size, shown, stop);
  if (::ftruncate(to, static_cast<off_t>(size)) != 0) throw_errno("resize " + shown);
  for (std::uint64_t offset = 0; offset < size;) {
    const off_t data = ::lseek(from, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno == ENXIO) return;  // nothing but a hole is left
    if (data < 0) return copy_range(from, to, offset, size, shown, stop);
    const off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) throw_errno("look for holes in " + shown);
    copy_range(from, to, static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole), shown, stop);
    offset = static_cast<std::uint64_t>(hole);
  }
}

// False when the kernel can't do it; `begin` says how far it came.
bool FileCopier::copy_in_kernel(int from, int to, std::uint64_t& begin, std::uint64_t end, const std::string& shown,
                                const std::stop_token& stop) {
  while (begin < end) {
    throw_if_stopped(stop);
    auto in = static_cast<off_t>(begin);
    auto out = static_cast<off_t>(begin);
    const auto size = static_cast<std::size_t>(std::min(end - begin, k_kernel_chunk));
    const ssize_t n = ::copy_file_range(from, &in, to, &out, size, 0);
    // 0 before the end: some file systems say so instead of an error.
    if (n == 0) return false;
    if (n < 0 && is_unsupported(errno)) return false;
    if (n < 0 && errno != EINTR) throw_errno("copy " + shown);
    if (n > 0) begin += static_cast<std::uint64_t>(n);
  }
  return true;
}

void FileCopier::copy_range(int from, int to, std::uint64_t begin, std::uint64_t end, const std::string& shown,
                            const std::stop_token& stop) {
  if (try_kernel_copy_) {
    try_kernel_copy_ = copy_in_kernel(from, to, begin, end, shown, stop);
    if (try_kernel_copy_) return;
  }
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, k_buffer_size)));
  while (begin < end) {
    throw_if_stopped(stop);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, buffer.size()));
    const ssize_t n = ::pread(from, buffer.data(), wanted, static_cast<off_t>(begin));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("read " + shown);
    if (n == 0) throw Error(ErrorKind::failure, shown + " changed while it was copied");
    write_at(to, buffer.data(), static_cast<std::size_t>(n), begin, shown);
    begin += static_cast<std::uint64_t>(n);
  }
}

}  // namespace tektii::layer
