#pragma once

#include <tektii/exec/executor.hpp>

#include <filesystem>
#include <string>

namespace tektii::exec {

// A fresh /proc of the current pid namespace; in a sandbox with what Docker hides hidden and what it protects
// read-only.
void mount_proc(const std::string& proc, SecurityMode security);

// /sys, read-only in a sandbox: a fresh sysfs where this namespace owns its network, else the host's, else an empty
// directory.
void mount_sys(const std::string& sys, SecurityMode security);

// Copies the host's /etc/resolv.conf and /etc/hosts (with the spec's extra hosts first, which so win over the host's,
// and a line for its host name last) to files in `files` and binds those, read-only, over the ones in `root`.
void mount_etc_files(const std::filesystem::path& root, const std::filesystem::path& files, const RunSpec& spec);

}  // namespace tektii::exec
