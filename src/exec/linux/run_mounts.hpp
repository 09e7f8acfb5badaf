#pragma once

#include "mount_points.hpp"
#include <tektii/exec/executor.hpp>
#include <tektii/util/fd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace tektii::exec {

// The target of a mount without "." ".." and double slashes, absolute.
std::string clean_target(const std::string& target);

// Of all targets (clean, sorted) those that belong to the root file system: not to another mount, nor to /dev, /proc
// and /sys.
std::vector<MountPoint> points_in_root(const std::vector<MountPoint>& targets);

// The mounts of one RunSpec, made in an init. Sources come first, while everything of the host can be reached, because
// a mount point has to be what its source is: a directory or a file.
class RunMounts {
 public:
  // Prepares every source below the directory `work`. Throws StepFailure.
  RunMounts(const RunSpec& spec, const std::filesystem::path& work);

  // The mount points that belong to the root file system, not to another mount.
  std::vector<MountPoint> points_in_root() const;
  // Mounts everything below `root`, a directory before what is inside of it. Missing mount points inside of other
  // mounts are made there.
  void attach(const std::filesystem::path& root);
  // True for a path (resolved, relative to the root) at or below a target; after attach().
  bool covers(const std::string& resolved) const;

 private:
  struct Prepared {
    const Mount* mount = nullptr;
    std::string target;  // clean, absolute
    std::string source;  // what is bound
    bool directory = true;
  };

  Prepared prepare(const Mount& mount, const std::string& target, const std::filesystem::path& place);
  std::string prepare_overlay(const OverlaySource& source, const std::filesystem::path& place) const;
  static std::string prepare_tmpfs(const TmpfsSource& source, const std::string& target,
                                   const std::filesystem::path& place);
  std::string prepare_secret(const SecretSource& source, const std::string& target, const std::string& name);
  UniqueFd attach_one(const Prepared& prepared, const std::filesystem::path& root);
  void restrict(const Prepared& prepared, const UniqueFd& mounted) const;

  std::filesystem::path work_;
  bool devices_ = false;  // device nodes may be used
  bool has_secrets_ = false;
  std::vector<Prepared> prepared_;     // sorted by target
  std::vector<std::string> attached_;  // resolved targets relative to the root, as prepared_
};

}  // namespace tektii::exec
