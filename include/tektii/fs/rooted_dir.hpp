#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>

namespace tektii::fs {

// Paths inside a directory that may hold hostile symlinks: nothing reached through this class is outside of the root
// (openat2 with RESOLVE_IN_ROOT; a loop of O_NOFOLLOW opens where openat2 is missing, ENOSYS).
class RootedDir {
 public:
  explicit RootedDir(const std::filesystem::path& root);

  int fd() const { return root_.get(); }
  const std::filesystem::path& path() const { return path_; }

  // Opens a path; symlinks resolve as if the root were "/". Throws Error with the path.
  UniqueFd open(std::string_view path, int flags, mode_t mode = 0) const;
  // The same, but any symlink on the way or at the end fails with ELOOP.
  UniqueFd open_no_symlinks(std::string_view path, int flags, mode_t mode = 0) const;
  // Opens the parent directory (no symlinks followed) with O_PATH, for the *at() calls on the last component.
  UniqueFd open_parent(std::string_view path) const;
  // Reads a regular file as a stream; refuses anything else.
  std::unique_ptr<ByteSource> open_source(std::string_view path) const;

 private:
  std::filesystem::path path_;
  UniqueFd root_;
};

}  // namespace tektii::fs
