#pragma once

#include <tektii/fs/file_metadata.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace tektii::fs {

struct WalkEntry {
  std::string path;  // relative to the root, '/' separated, no leading or trailing slash
  FileMetadata metadata;
  std::uint64_t device = 0;  // st_dev, st_ino, st_nlink, st_ctime: to find hard links and for the stat cache
  std::uint64_t inode = 0;
  std::uint64_t link_count = 1;
  std::int64_t mtime_nanoseconds = 0;  // whole mtime in ns
  std::int64_t ctime_nanoseconds = 0;
};

enum class WalkAction { keep_going, skip_children };

// Which extended attributes a walk reads; each file costs a system call or two.
enum class WalkXattrs { none, all };

struct WalkOptions {
  WalkXattrs xattrs = WalkXattrs::all;
  std::string
      start;  // walk only this sub-path of the root, itself included; empty: the whole root, without the root itself
};

// Visits a directory tree in byte order of the full path components (a directory before its children, siblings sorted
// by name as bytes), never following a symlink, using openat relative to open directories. The order does not depend on
// the file system or locale. Throws Error with the path when something can't be read.
void walk_tree(const std::filesystem::path& root, const WalkOptions& options,
               const std::function<WalkAction(const WalkEntry&)>& visit);

}  // namespace tektii::fs
