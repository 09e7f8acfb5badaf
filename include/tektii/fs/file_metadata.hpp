#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tektii::fs {

enum class FileType { regular, directory, symlink, char_device, block_device, fifo, socket };

// What a tar header or an inode says about a file, without its content. Numbers are those inside the image.
struct FileMetadata {
  FileType type = FileType::regular;
  std::uint32_t mode = 0;  // permission bits, 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;          // regular files only
  std::int64_t mtime = 0;          // seconds since the epoch; layers carry whole seconds
  std::string link_target;         // symlinks only
  std::uint32_t device_major = 0;  // device nodes only
  std::uint32_t device_minor = 0;
  std::map<std::string, std::string> xattrs;  // full name ("security.capability") -> bytes

  bool operator==(const FileMetadata&) const = default;
};

}  // namespace tektii::fs
