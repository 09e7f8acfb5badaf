#include <tektii/util/error.hpp>
#include <tektii/util/file_lock.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

namespace tektii {

namespace {

UniqueFd open_lock_file(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd && errno == EISDIR) fd.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_errno("open " + path.string());
  return fd;
}

// False when somebody else holds the lock.
bool try_lock(const UniqueFd& fd, LockMode mode, const std::filesystem::path& path) {
  const int operation = (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw_errno("lock " + path.string());
  }
  return true;
}

// A wait in the kernel would end with a signal only if a handler interrupted it, in the very thread that waits. Most
// locks are held for less than a millisecond.
void wait_for_lock(const UniqueFd& fd, LockMode mode, const std::filesystem::path& path, const std::stop_token& stop) {
  using Milliseconds = std::chrono::milliseconds;
  constexpr Milliseconds k_longest_pause{20};
  constexpr std::chrono::seconds k_patience{1};
  const auto begin = std::chrono::steady_clock::now();
  bool told = false;
  for (Milliseconds pause{1}; !try_lock(fd, mode, path); pause = std::min(2 * pause, k_longest_pause)) {
    throw_if_stopped(stop);
    if (!told && std::chrono::steady_clock::now() - begin >= k_patience) {
      told = true;
      spdlog::warn("waiting for the lock on {}, which another process holds", path.string());
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

FileLock FileLock::acquire(const std::filesystem::path& path, LockMode mode, const std::stop_token& stop) {
  auto fd = open_lock_file(path);
  wait_for_lock(fd, mode, path, stop);
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path, LockMode mode) {
  auto fd = open_lock_file(path);
  if (!try_lock(fd, mode, path)) return std::nullopt;
  return FileLock(std::move(fd));
}

}  // namespace tektii
