#pragma once

#include "exec/init_report.hpp"
#include <tektii/util/fd.hpp>

#include <string>

// mount(2) and its relatives for the init of a run: every failure is a StepFailure that names step and target.
namespace tektii::exec {

struct MountRequest {
  Step step;
  std::string type;
  std::string target;
  unsigned long flags = 0;
  std::string data;
};

// 0, or the errno of the failure; for mounts that have a fallback.
int try_mount(const MountRequest& request);
void mount_filesystem(const MountRequest& request);

// A bind mount of a file or, with everything mounted below it, of a directory.
void bind_mount(Step step, const std::string& source, const std::string& target);
int try_bind_mount(const std::string& source, const std::string& target);

// Makes a mount, and with `recursive` those below it, read-only. Other flags stay, as they must in a user namespace,
// where nosuid, nodev and noexec of an inherited mount are locked.
void make_read_only(Step step, const std::string& target, bool recursive);

struct MountRestrictions {
  bool read_only = false;
  bool no_devices = false;
};
// Adds restrictions to the mount that a descriptor is the root of; `target` is what an error names.
void restrict_mount(Step step, const UniqueFd& mounted, const std::string& target,
                    const MountRestrictions& restrictions);

// A bind mount like the above at what a descriptor stands for, wherever that is by now. Returns the root of the mount.
UniqueFd bind_mount_at(Step step, const std::string& source, const UniqueFd& mount_point, const std::string& target);

// Takes every mount of this namespace out of propagation, in both directions.
void make_mounts_private();

// Makes the directory the root and drops the old one.
void change_root(const std::string& new_root);

}  // namespace tektii::exec
