#pragma once

#include <tektii/util/fd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace tektii::exec {

// The layers of an overlay. They are handed to the kernel as descriptors and not by name, so that neither ':' ',' '\'
// in a path nor the one page that mount options may take limits them: 500 layers (OVL_MAX_STACK) need 2.5 KiB.
struct OverlayLayers {
  std::vector<UniqueFd> lower;  // topmost first
  UniqueFd upper;               // none: a read-only mount
  UniqueFd work;
};

// O_PATH on a directory, in the current mount namespace (the kernel refuses layers of another one).
UniqueFd open_layer(const std::filesystem::path& directory);

// Mounts with userxattr, the form of overlayfs that needs no global privilege and the one that layers are unpacked for.
// Device nodes in it give access to their devices only with `devices` (and in no user namespace).
void mount_overlay(const OverlayLayers& layers, const std::string& target, bool devices = false);

}  // namespace tektii::exec
