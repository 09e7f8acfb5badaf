#pragma once

#include <tektii/util/file_lock.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <utility>

namespace tektii::store {

// Says what a running process relies on, so that the garbage collection of another process leaves it alone.
//
// The time of last use of an object of the store is the mtime of its file or directory. A process marks what it uses
// with the present time unless the mark is younger than the process; it also holds a lease (its locked directory in
// tmp/) for as long as it lives. The collection removes nothing that was used since the oldest living lease began.
// Marking happens under the shared lock of a gate and removal under the exclusive one, with a second look at the mtime:
// who marked an object has it until the end of its process, and who came too late sees that it is gone.
//
// All times are those that the file system gives, and one file system has one clock, also over a network.
class UseMarks {
 public:
  // `gate` is the lock file, `since` the beginning of this process' lease.
  UseMarks(std::filesystem::path gate, std::chrono::system_clock::time_point since);

  // A wait for the gate ends with Error{interrupted} when this stop is requested. Before threads use the object.
  void interrupt_by(std::stop_token stop) { stop_ = std::move(stop); }

  // Marks a file or directory as used by this process; false when it is not there. What is true stays true until the
  // process ends or removes it itself. Thread-safe. An object that may not be changed (another user's
  // file in a store that several share) is taken as it is.
  bool mark(const std::filesystem::path& path) const;

  // To be held while something new is renamed to `path`, which may take the place of something old: a collection that
  // has looked at the old one must not remove the new one. Costs a lock only where there is an old one.
  std::optional<FileLock> guard_replacement(const std::filesystem::path& path) const;

  // To be held while an object is removed that is not what it was found to be, from a last look at it on: nobody marks
  // or replaces one meanwhile.
  FileLock guard_removal() const;

  std::chrono::system_clock::time_point since() const { return since_; }

 private:
  std::filesystem::path gate_;
  std::chrono::system_clock::time_point since_;
  std::stop_token stop_;
};

}  // namespace tektii::store
