#pragma once

#include <tektii/util/fd.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tektii {

// A place in a tree of directories, which it never leaves by a symlink. Holds two descriptors however deep it is: the
// way up is "..", and is only taken when that is the directory that it came from. So a tree may be deeper than the
// number of files that a process may open, and its paths longer than PATH_MAX.
class TreeCursor {
 public:
  // `top` is an open directory; `path` is how errors name it.
  TreeCursor(UniqueFd top, std::string path);

  // Of the present directory; for the *at() calls, not for reading.
  int fd() const { return fd_.get(); }
  bool is_at_top() const { return names_.empty(); }
  // The present directory, or something in it, as errors name it.
  std::string path() const;
  std::string path(const std::string& name) const;

  // Goes to a directory that was opened below the present one under that name.
  void enter(UniqueFd directory, std::string name);
  // Goes back and returns the name of the directory that was left. nullopt when there is no way back, because other
  // processes moved or removed directories meanwhile.
  std::optional<std::string> leave();

 private:
  using Identity = std::pair<dev_t, ino_t>;
  UniqueFd parent_from_top() const;

  UniqueFd top_fd_;
  UniqueFd fd_;
  std::string top_;
  std::vector<std::string> names_;
  std::vector<Identity> parents_;  // of each of the names
};

// The names in a directory, without "." and ".."; the descriptor is closed. `path` is how errors name it.
std::vector<std::string> list_directory(UniqueFd directory, const std::string& path);

}  // namespace tektii
