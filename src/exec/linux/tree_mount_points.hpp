#pragma once

#include "mount_points.hpp"
#include <tektii/exec/executor.hpp>
#include <tektii/util/fd.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::exec {

// Every place of a run's root that something is mounted over, known before anything is mounted: the standard ones and
// the targets of the spec. Throws Error for a mount that needs overlayfs, StepFailure for a source that is not there.
std::vector<MountPoint> mount_points_of(const RunSpec& spec);

// Mount points that a plain directory as root lacks: made in it and removed again, with nothing but ctimes moved. What
// the command changed about the directories on the way stays, and makes them its own. Symlinks resolve inside of the
// root when the points are made; none is followed when they are removed, as the command may have put them there.
class TreeMountPoints {
 public:
  // Throws StepFailure when something of the wrong type is in the way; nothing is left then.
  TreeMountPoints(const std::filesystem::path& root, const std::vector<MountPoint>& points);
  TreeMountPoints(const TreeMountPoints&) = delete;
  TreeMountPoints& operator=(const TreeMountPoints&) = delete;
  ~TreeMountPoints();

  // After the run, when none of its processes is left. Throws StepFailure.
  void remove();

 private:
  struct Made {
    std::string path;
    bool directory;
    std::pair<std::int64_t, std::int64_t> ctime;
  };

  void make(const MountPoint& point);
  void make_one(const std::string& path, bool directory);
  bool was_touched(const Made& made) const;
  UniqueFd open_directory(std::string_view path) const;

  std::filesystem::path path_;
  UniqueFd root_;
  std::vector<Made> made_;  // parents first
};

}  // namespace tektii::exec
