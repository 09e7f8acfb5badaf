#pragma once

#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/fd.hpp>

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace tektii::fs {

// Path resolution inside a root in user space: every component is opened with O_NOFOLLOW and symlinks are spliced into
// the rest of the path, with the root as "/" and ".." clamped to it. What openat2(RESOLVE_IN_ROOT) does in the kernel.
class RootWalk {
 public:
  explicit RootWalk(int root_fd, bool allow_symlinks = true) : root_fd_(root_fd), allow_symlinks_(allow_symlinks) {}

  OpenResult open(std::string_view path, int flags, mode_t mode);

  // The path without symlinks, "." and "..", relative to the root. From the first component that is missing or not a
  // directory on, the rest is taken as it stands. Sets `error_number` on any other failure.
  std::string resolve(std::string_view path, int& error_number);

 private:
  enum class Step { done, entered, missing, at_end, failed };

  void push_pending(std::string_view path);
  int current() const { return stack_.empty() ? root_fd_ : stack_.back().fd.get(); }
  bool next_component();
  Step enter(bool follow_last, int& error_number);
  int splice_link(int link_fd);

  struct Level {
    std::string name;
    UniqueFd fd;
  };

  int root_fd_;
  bool allow_symlinks_;
  int links_followed_ = 0;
  std::vector<std::string> pending_;  // reversed: the next component is at the back
  std::vector<Level> stack_;
  std::string component_;
  UniqueFd component_fd_;
};

}  // namespace tektii::fs
