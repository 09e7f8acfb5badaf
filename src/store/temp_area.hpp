#pragma once

#include "store/file_times.hpp"
#include <tektii/util/file_lock.hpp>

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string_view>

namespace tektii::store {

// A private directory `<parent>/<pid>-XXXXXX` for files on their way into the store. It holds a lock on the file "lock"
// inside, which the kernel gives up with the process; the next process that opens the store removes directories whose
// lock is free. The lock is asked and not the pid: pids are used again, and mean nothing across pid namespaces.
class TempArea {
 public:
  explicit TempArea(const std::filesystem::path& parent);
  TempArea(const TempArea&) = delete;
  TempArea& operator=(const TempArea&) = delete;
  ~TempArea();

  const std::filesystem::path& path() const { return path_; }
  // When the directory was made, by the clock of its file system: the beginning of this process' lease.
  FileTime started() const { return started_; }
  // A name in the directory that was not handed out before. Thread-safe.
  std::filesystem::path next_name(std::string_view prefix);

 private:
  void remove_dead(const std::filesystem::path& parent) const;

  pid_t owner_;
  std::filesystem::path path_;
  std::optional<FileLock> lock_;
  FileTime started_;
  std::atomic<unsigned> counter_ = 0;
};

// Nothing that was used at this time or later may be removed: it is the present, or the start of the oldest process
// whose directory in `parent` is alive. A process that starts later marks what it uses with a later time. `clock_file`
// is touched to learn the present. Waits for processes that are just making their directory.
FileTime oldest_use_to_keep(const std::filesystem::path& parent, const std::filesystem::path& clock_file,
                            const std::stop_token& stop);

}  // namespace tektii::store
