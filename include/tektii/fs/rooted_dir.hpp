#pragma once

#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace tektii::fs {

// What try_open found: a descriptor, or the errno why there is none.
struct OpenResult {
  UniqueFd fd;
  int error_number = 0;
};

// Paths inside a directory that may hold hostile symlinks: nothing reached through this class is outside of the root
// (openat2 with RESOLVE_IN_ROOT; a loop of O_NOFOLLOW opens where openat2 is missing, ENOSYS).
class RootedDir {
 public:
  explicit RootedDir(const std::filesystem::path& root);

  int fd() const { return root_.get(); }
  const std::filesystem::path& path() const { return path_; }

  // Opens a path; symlinks resolve as if the root were "/". Throws Error with the path.
  UniqueFd open(std::string_view path, int flags, mode_t mode = 0) const;
  // The same for callers to whom a missing file is an ordinary outcome.
  OpenResult try_open(std::string_view path, int flags, mode_t mode = 0) const;
  // The same, but any symlink on the way or at the end fails with ELOOP.
  UniqueFd open_no_symlinks(std::string_view path, int flags, mode_t mode = 0) const;
  // Opens the parent directory (no symlinks followed) with O_PATH, for the *at() calls on the last component.
  UniqueFd open_parent(std::string_view path) const;
  // Reads a regular file as a stream; refuses anything else, a symlink as the last component included.
  std::unique_ptr<ByteSource> open_source(std::string_view path) const;
  // The path with its symlinks resolved inside the root, relative to it, "" for the root. Components that do not exist
  // are kept, so that the result says where a file would be created. Throws Error on a symlink loop.
  std::string resolve(std::string_view path) const;

 private:
  std::string display(std::string_view path) const;

  std::filesystem::path path_;
  UniqueFd root_;
};

}  // namespace tektii::fs
