#include <tektii/util/error.hpp>
#include <tektii/util/file_lock.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>

namespace tektii {

namespace {

UniqueFd open_lock_file(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd && errno == EISDIR) fd.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_errno("open " + path.string());
  return fd;
}

// False when the lock is held and `flags` says not to wait.
bool lock(const UniqueFd& fd, int flags, const std::filesystem::path& path) {
  while (::flock(fd.get(), flags) != 0) {
    if (errno == EWOULDBLOCK && (flags & LOCK_NB) != 0) return false;
    if (errno != EINTR) throw_errno("lock " + path.string());
  }
  return true;
}

int operation(LockMode mode) {
  return mode == LockMode::shared ? LOCK_SH : LOCK_EX;
}

}  // namespace

FileLock FileLock::acquire(const std::filesystem::path& path, LockMode mode) {
  auto fd = open_lock_file(path);
  lock(fd, operation(mode), path);
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path, LockMode mode) {
  auto fd = open_lock_file(path);
  if (!lock(fd, operation(mode) | LOCK_NB, path)) return std::nullopt;
  return FileLock(std::move(fd));
}

}  // namespace tektii
