#pragma once

#include <tektii/fs/file_metadata.hpp>

#include <map>
#include <string>
#include <string_view>

namespace tektii::layer {

// How overlayfs says things in the directories under it (kernel: Documentation/filesystems/overlayfs.rst). With the
// mount option `userxattr` the attributes are in the user namespace of names.
inline constexpr const char* k_overlay_opaque = "user.overlay.opaque";

// A 0/0 character device removes the name below it.
inline bool is_overlay_whiteout(const fs::FileMetadata& metadata) {
  return metadata.type == fs::FileType::char_device && metadata.device_major == 0 && metadata.device_minor == 0;
}

inline bool is_overlay_opaque(const std::map<std::string, std::string>& xattrs) {
  for (const char* name : {k_overlay_opaque, "trusted.overlay.opaque"}) {
    const auto it = xattrs.find(name);
    if (it != xattrs.end() && it->second == "y") return true;
  }
  return false;
}

// Attributes that steer overlayfs. A layer from elsewhere that carried one (redirect, metacopy) would be obeyed by the
// mount, so they are dropped when reading a tar, and they are no part of a layer's content when writing one.
inline bool is_overlay_xattr(std::string_view name) {
  return name.starts_with("user.overlay.") || name.starts_with("trusted.overlay.");
}

}  // namespace tektii::layer
