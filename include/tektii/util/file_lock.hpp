#pragma once

#include <tektii/util/fd.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>

namespace tektii {

enum class LockMode { shared, exclusive };

// A lock between processes and between threads (flock(2)): held until the object is destroyed or the process ends in
// whatever way, so that a crash never leaves one behind. The file is created when missing and never removed; a
// directory can be locked too. Advisory: only those who ask for the lock respect it.
class FileLock {
 public:
  // Waits until the lock is free; after a second it says so, as a warning. Throws Error when the file can't be opened
  // or its file system has no locks, and Error{interrupted} within a fraction of a second after a stop is requested.
  static FileLock acquire(const std::filesystem::path& path, LockMode mode, const std::stop_token& stop = {});
  // nullopt when somebody else holds it; otherwise like acquire.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path, LockMode mode);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace tektii
