#pragma once

#include <tektii/exec/executor.hpp>

#include <string>

namespace tektii::exec {

// Mounts a /dev of its own on `dev`: a tmpfs with the usual nodes of the host bound in (mknod is impossible in a user
// namespace), a private devpts, shm and mqueue, and the links to /proc/self/fd. `dev` is under the new root, and the
// current root is still the host's. Without a sandbox, the devices that BuildKit gives then are bound in as well, as
// far as the host has them.
void mount_devices(const std::string& dev, const RunSpec& spec);

}  // namespace tektii::exec
