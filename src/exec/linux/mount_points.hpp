#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tektii::exec {

// A file or directory of the image that something is mounted over.
struct MountPoint {
  std::string path;  // absolute, as the command sees it
  bool directory = true;
};

// /proc, /sys, /dev, /etc/resolv.conf and /etc/hosts.
const std::vector<MountPoint>& standard_mount_points();

// How mount points that the image lacks come to be without a trace in the layer: never by writing to the overlay, which
// would copy /etc up, but as two more lower directories.
//   - `base`, below all layers, holds every mount point. Nothing in it can hide or change what a layer has.
//   - `top`, above all layers, is made only where a layer hides the one of `base`: by a whiteout, an opaque directory,
//   or
//     a symlink (/etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf) whose target does not exist. It shows the
//     metadata of the directories it has to repeat, so that they look as before and are copied up as they are.

// Fills the empty directory `base`.
void make_base_layer(const std::filesystem::path& base, const std::vector<MountPoint>& points);

// Fills the empty directory `top` with what is missing in `merged`, a mount of all layers above `base`; false when
// nothing is, and `top` is empty then. Throws StepFailure when something of the wrong type is in the way.
bool make_top_layer(const std::filesystem::path& merged, const std::filesystem::path& top,
                    const std::vector<MountPoint>& points);

// The path to mount over: `path` with its symlinks resolved inside `root`. No one else may be changing the tree.
std::string resolve_mount_point(const std::filesystem::path& root, const std::string& path);

}  // namespace tektii::exec
