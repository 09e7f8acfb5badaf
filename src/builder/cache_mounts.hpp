#pragma once

#include "run_mount.hpp"
#include <tektii/store/use_marks.hpp>
#include <tektii/util/file_lock.hpp>

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

namespace tektii::builder {

// The directories of RUN --mount=type=cache below `root` (mounts/v1 of the store). They stay when steps are cached,
// when they are not, and between builds:
//   <hash of the key>/key       the key, for people
//   <hash of the key>/<n>/data  the directory; there is more than one when private users came at the same time
// A user holds a lock on <n> (flock, so between threads and processes): several share one when they all are `shared`,
// `locked` ones wait, all others take a copy of their own when every one is in use, as BuildKit does.
class CacheMounts {
 public:
  // A cache that is used is marked in `marks`, if there are any, so that no collection removes it.
  explicit CacheMounts(std::filesystem::path root, const store::UseMarks* marks = nullptr)
      : root_(std::move(root)), marks_(marks) {}

  struct Wanted {
    std::string key;
    RunMount::Sharing sharing = RunMount::Sharing::shared;
    // Makes a new directory what it should be; it exists and is empty.
    std::function<void(const std::filesystem::path&)> fill;
  };
  // Usable until it is destroyed.
  struct Lease {
    std::filesystem::path directory;
    FileLock lock;
  };
  // `on_wait` is called once when another user has to end first. Throws Error{interrupted} on stop.
  Lease acquire(const Wanted& wanted, const std::function<void()>& on_wait, const std::stop_token& stop) const;

 private:
  std::filesystem::path root_;
  const store::UseMarks* marks_;
};

}  // namespace tektii::builder
