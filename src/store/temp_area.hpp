#pragma once

#include <tektii/util/file_lock.hpp>

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <optional>
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
  // A name in the directory that was not handed out before. Thread-safe.
  std::filesystem::path next_name(std::string_view prefix);

 private:
  void remove_dead(const std::filesystem::path& parent) const;

  pid_t owner_;
  std::filesystem::path path_;
  std::optional<FileLock> lock_;
  std::atomic<unsigned> counter_ = 0;
};

}  // namespace tektii::store
