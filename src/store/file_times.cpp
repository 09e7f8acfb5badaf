#include "store/file_times.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>

#include <cerrno>

namespace tektii::store {

namespace {

using std::chrono::nanoseconds;

}  // namespace

std::optional<struct stat> file_status(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw_errno("stat " + path.string());
}

FileTime mtime_of(const struct stat& status) {
  return FileTime(std::chrono::duration_cast<FileTime::duration>(std::chrono::seconds(status.st_mtim.tv_sec) +
                                                                 nanoseconds(status.st_mtim.tv_nsec)));
}

timespec to_timespec(FileTime time) {
  const auto since_epoch = std::chrono::duration_cast<nanoseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((since_epoch - seconds).count())};
}

FileTime file_system_now(const std::filesystem::path& path) {
  const auto fd = open_file(path, O_RDWR | O_CREAT);
  struct stat status {};
  if (::futimens(fd.get(), nullptr) != 0 || ::fstat(fd.get(), &status) != 0) throw_errno("touch " + path.string());
  return mtime_of(status);
}

}  // namespace tektii::store
