#include "root_walk.hpp"
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tektii::fs {

namespace {

OpenResult open_in_root(int root_fd, std::string_view path, int flags, mode_t mode, bool allow_symlinks) {
  if (path.find('\0') != std::string_view::npos) return {UniqueFd(), EINVAL};
  const std::string text(path.empty() ? std::string_view(".") : path);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (!allow_symlinks) how.resolve |= RESOLVE_NO_SYMLINKS;
  // EAGAIN: something was renamed while ".." was resolved; the kernel asks for another try.
  constexpr int k_attempts = 128;
  int error_number = EAGAIN;
  for (int attempt = 0; attempt < k_attempts && (error_number == EAGAIN || error_number == EINTR); ++attempt) {
    const long fd = ::syscall(SYS_openat2, root_fd, text.c_str(), &how, sizeof how);
    if (fd >= 0) return {UniqueFd(static_cast<int>(fd)), 0};
    error_number = errno;
  }
  // EPERM: seccomp filters older than the call answer so for it; a real EPERM comes back from the fallback too.
  if (error_number == ENOSYS || error_number == EPERM) return RootWalk(root_fd, allow_symlinks).open(text, flags, mode);
  return {UniqueFd(), error_number};
}

}  // namespace

RootedDir::RootedDir(const std::filesystem::path& root) : path_(root), root_(open_file(root, O_PATH | O_DIRECTORY)) {}

std::string RootedDir::display(std::string_view path) const {
  while (path.starts_with('/')) path.remove_prefix(1);
  return (path_ / path).string();
}

OpenResult RootedDir::try_open(std::string_view path, int flags, mode_t mode) const {
  return open_in_root(root_.get(), path, flags, mode, true);
}

UniqueFd RootedDir::open(std::string_view path, int flags, mode_t mode) const {
  OpenResult result = try_open(path, flags, mode);
  if (!result.fd) throw_errno(fmt::format("can't open {}", display(path)), result.error_number);
  return std::move(result.fd);
}

UniqueFd RootedDir::open_no_symlinks(std::string_view path, int flags, mode_t mode) const {
  OpenResult result = open_in_root(root_.get(), path, flags, mode, false);
  if (!result.fd) throw_errno(fmt::format("can't open {}", display(path)), result.error_number);
  return std::move(result.fd);
}

UniqueFd RootedDir::open_parent(std::string_view path) const {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  const std::string_view parent = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  return open_no_symlinks(parent, O_PATH | O_DIRECTORY);
}

std::unique_ptr<ByteSource> RootedDir::open_source(std::string_view path) const {
  // O_NONBLOCK: opening a fifo must not wait for a writer.
  UniqueFd fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw_errno(fmt::format("can't stat {}", display(path)));
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::failure, fmt::format("{} is not a regular file", display(path)));
  return std::make_unique<FdSource>(std::move(fd), display(path));
}

std::string RootedDir::resolve(std::string_view path) const {
  int error_number = 0;
  std::string resolved = RootWalk(root_.get()).resolve(path, error_number);
  if (error_number != 0) throw_errno(fmt::format("can't resolve {}", display(path)), error_number);
  return resolved;
}

}  // namespace tektii::fs
