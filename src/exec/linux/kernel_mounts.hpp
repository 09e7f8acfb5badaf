#pragma once

#include <filesystem>
#include <string>

namespace tektii::exec {

// A fresh /proc of the current pid namespace, with what Docker hides hidden and what it protects read-only.
void mount_proc(const std::string& proc);

// /sys, read-only: a fresh sysfs where this namespace owns its network, else the host's, else an empty directory.
void mount_sys(const std::string& sys);

// Copies the host's /etc/resolv.conf and /etc/hosts (plus a line for `host_name`) to files in `files` and binds those,
// read-only, over the ones in `root`.
void mount_etc_files(const std::filesystem::path& root, const std::filesystem::path& files,
                     const std::string& host_name);

}  // namespace tektii::exec
