#pragma once

#include <tektii/fs/file_metadata.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::layer {

// One member of a layer tar.
struct LayerEntry {
  enum class Kind { file, hard_link, whiteout, opaque };
  Kind kind = Kind::file;
  std::string path;                    // relative, no leading "./" or '/'; for a whiteout the name that is removed
  fs::FileMetadata metadata;           // file only
  std::string hard_link_target;        // hard_link only: a path in the same layer
  std::optional<std::string> content;  // kept for etc/passwd and etc/group only, up to 1 MiB
};

// The members of a layer in tar order, without their bytes.
struct LayerIndex {
  std::vector<LayerEntry> entries;

  std::string serialise() const;
  static LayerIndex parse(std::string_view text);  // throws Error{failure} on anything damaged
};

}  // namespace tektii::layer
