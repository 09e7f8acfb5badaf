#pragma once

#include <tektii/util/secret.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tektii::exec {

// Directories stacked as one, of which `path` is mounted. What is written goes to a directory that nobody reads.
struct OverlaySource {
  std::vector<std::filesystem::path> lower_dirs;  // topmost first; may be empty
  // Exists, and holds nothing but directories that the lower ones have too; its own attributes are those of the root.
  std::filesystem::path upper_dir;
  std::filesystem::path work_dir;  // exists, empty before, on the file system of upper_dir
  std::string path = "/";          // symlinks resolve inside of the stack
};

// A directory, file or socket of this machine as it is: what is written to it stays.
struct HostSource {
  std::filesystem::path path;
};

struct TmpfsSource {
  std::optional<std::uint64_t> size;  // in bytes; the kernel's default is half of the memory
};

// A file that exists in memory alone.
struct SecretSource {
  Secret content;
  std::uint32_t mode = 0400;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// Something that a command sees at `target` for the time of its run. Where the image has no such file or directory, one
// is made that leaves no trace in upper_dir.
struct Mount {
  std::string target;  // absolute; symlinks resolve inside of the root
  std::variant<OverlaySource, HostSource, TmpfsSource, SecretSource> source;
  bool read_only = false;
};

// A variable whose value is kept out of everything that can be read from outside of the command.
struct SecretVariable {
  std::string name;
  Secret value;
};

}  // namespace tektii::exec
