#pragma once

#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <filesystem>
#include <optional>

namespace tektii::sandbox {

// Where a sandbox keeps everything: the directory of the options, or a temporary one that goes with this object. Locked
// while this object lives, because two platforms in one directory would overwrite each other's state; throws
// Error{failure} when another one holds it. Making a temporary one removes those that crashed sandboxes of this user
// left beside it.
class DataDirectory {
 public:
  explicit DataDirectory(const std::optional<std::filesystem::path>& given);

  const std::filesystem::path& path() const { return path_; }

 private:
  // Released last, so that nobody else removes the directory at the same time.
  UniqueFd lock_;
  std::optional<TempDir> temporary_;
  std::filesystem::path path_;
};

}  // namespace tektii::sandbox
