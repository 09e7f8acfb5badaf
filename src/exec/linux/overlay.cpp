#include "overlay.hpp"

#include "mounts.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

namespace tektii::exec {

UniqueFd open_layer(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw StepFailure{Step::open_layer, errno, directory.string()};
  return fd;
}

void mount_overlay(const OverlayLayers& layers, const std::string& target, bool devices) {
  std::string options = "lowerdir=";
  for (const UniqueFd& layer : layers.lower) {
    options += fmt::format("{}{}", options.back() == '=' ? "" : ":", layer.get());
  }
  // index=off whatever the kernel's default is: an index would tie the upper directory to inodes of the lower ones.
  options += ",userxattr,index=off";
  // nodev: device nodes may be made, as in Docker, but give no access to the device; /dev is a mount of its own.
  unsigned long flags = devices ? 0 : MS_NODEV;
  if (layers.upper) {
    // volatile: fsync is a no-op. The changes are read once, right after the run, and a crash discards them anyway.
    options += fmt::format(",volatile,upperdir={},workdir={}", layers.upper.get(), layers.work.get());
  } else {
    flags |= MS_RDONLY;
  }
  // The names in the options are relative to this directory of magic links.
  if (::chdir("/proc/self/fd") != 0) throw StepFailure{Step::mount_overlay, errno, "/proc/self/fd"};
  mount_filesystem({Step::mount_overlay, "overlay", target, flags, options});
  if (::chdir("/") != 0) throw StepFailure{Step::mount_overlay, errno, "/"};
}

}  // namespace tektii::exec
