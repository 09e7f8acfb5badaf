#pragma once

#include <tektii/util/fd.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::layer {

// Walks below one directory without ever following a symlink: every component is opened by itself with O_NOFOLLOW,
// relative to the directory before it. The directories on the way stay open, so that going on to a neighbour, which is
// what a sorted list of paths does nearly always, costs no more than the components that differ.
class DirStack {
 public:
  explicit DirStack(std::filesystem::path root);

  // A descriptor of the directory (owned by the stack, valid until the next call), or nullopt when the path does not
  // exist or is no directory (errno tells: ENOENT, ENOTDIR, ELOOP). Throws Error on other failures.
  std::optional<int> enter(std::string_view directory);
  // Forgets what is open at and below a path that was removed or replaced.
  void forget(std::string_view path);
  // How much of the path of the last enter() that failed does exist: its components up to there are open.
  std::string deepest() const;

  const std::filesystem::path& root() const { return root_; }

 private:
  struct Level {
    std::string name;
    UniqueFd fd;
  };
  int top() const { return levels_.empty() ? root_fd_.get() : levels_.back().fd.get(); }

  std::filesystem::path root_;
  UniqueFd root_fd_;
  std::vector<Level> levels_;
};

}  // namespace tektii::layer
