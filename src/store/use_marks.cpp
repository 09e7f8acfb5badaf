#include "store/file_times.hpp"
#include <tektii/store/use_marks.hpp>
#include <tektii/util/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <utility>

namespace tektii::store {

namespace {

enum class Touched { yes, gone, not_ours };

Touched touch(const std::filesystem::path& path, timespec time) {
  const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, time};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) return Touched::yes;
  if (errno == ENOENT || errno == ENOTDIR) return Touched::gone;
  if (errno == EPERM || errno == EACCES || errno == EROFS) return Touched::not_ours;
  throw_errno("set the time of " + path.string());
}

}  // namespace

UseMarks::UseMarks(std::filesystem::path gate, std::chrono::system_clock::time_point since)
    : gate_(std::move(gate)), since_(since) {}

bool UseMarks::mark(const std::filesystem::path& path) const {
  const auto seen = file_status(path);
  if (!seen) return false;
  // Younger than our lease, which the collection respects: no lock is needed.
  if (mtime_of(*seen) >= since_) return true;
  const auto gate = FileLock::acquire(gate_, LockMode::shared, stop_);
  const auto touched = touch(path, timespec{0, UTIME_NOW});
  if (touched != Touched::yes) return touched == Touched::not_ours;
  // A clock that was set back meanwhile must not make the mark look older than the lease.
  const auto marked = file_status(path);
  if (marked && mtime_of(*marked) < since_) return touch(path, to_timespec(since_)) != Touched::gone;
  return marked.has_value();
}

FileLock UseMarks::guard_removal() const {
  return FileLock::acquire(gate_, LockMode::exclusive, stop_);
}

std::optional<FileLock> UseMarks::guard_replacement(const std::filesystem::path& path) const {
  if (!file_status(path)) return std::nullopt;
  return FileLock::acquire(gate_, LockMode::shared, stop_);
}

}  // namespace tektii::store
