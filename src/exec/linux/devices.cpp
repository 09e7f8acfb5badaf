#include "devices.hpp"

#include "mounts.hpp"
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace tektii::exec {

namespace {

void check(int result, const std::string& path) {
  if (result != 0) throw StepFailure{Step::mount_dev, errno, path};
}

void bind_device(const std::string& dev, const std::string& name, bool optional) {
  const std::string source = "/dev/" + name;
  if (optional && ::access(source.c_str(), F_OK) != 0) return;
  const std::string target = dev + '/' + name;
  const UniqueFd fd(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  check(fd ? 0 : -1, target);
  bind_mount(Step::mount_dev, source, target);
}

std::string make_directory(const std::string& path) {
  check(::mkdir(path.c_str(), 0755), path);
  return path;
}

void mount_terminals(const std::string& dev) {
  const std::string pts = make_directory(dev + "/pts");
  MountRequest request{Step::mount_dev, "devpts", pts, MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=0620,gid=5"};
  // EINVAL: the group tty is not mapped in this user namespace.
  if (try_mount(request) != 0) {
    request.data = "newinstance,ptmxmode=0666,mode=0620";
    mount_filesystem(request);
  }
  check(::symlink("pts/ptmx", (dev + "/ptmx").c_str()), dev + "/ptmx");
}

void bind_privileged_devices(const std::string& dev) {
  for (const char* name : {"kmsg", "cuse", "fuse", "kvm", "loop-control"}) bind_device(dev, name, true);
  if (::access("/dev/net/tun", F_OK) == 0) {
    make_directory(dev + "/net");
    bind_device(dev, "net/tun", true);
  }
  for (int i = 0; ::access(("/dev/loop" + std::to_string(i)).c_str(), F_OK) == 0; ++i) {
    bind_device(dev, "loop" + std::to_string(i), true);
  }
}

}  // namespace

void mount_devices(const std::string& dev, const RunSpec& spec) {
  mount_filesystem({Step::mount_dev, "tmpfs", dev, MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"});
  for (const char* name : {"null", "zero", "full", "random", "urandom"}) bind_device(dev, name, false);
  bind_device(dev, "tty", true);
  mount_terminals(dev);
  constexpr unsigned long k_plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const std::string shm_size = spec.shm_size ? std::to_string(*spec.shm_size) : "65536k";
  mount_filesystem({Step::mount_dev, "tmpfs", make_directory(dev + "/shm"), k_plain, "mode=1777,size=" + shm_size});
  if (spec.security == SecurityMode::insecure) bind_privileged_devices(dev);
  // A kernel without POSIX message queues (ENODEV) leaves an empty directory, as it does on the host.
  const MountRequest queues{Step::mount_dev, "mqueue", make_directory(dev + "/mqueue"), k_plain, ""};
  const int error_number = try_mount(queues);
  if (error_number != 0 && error_number != ENODEV) throw StepFailure{Step::mount_dev, error_number, queues.target};
  constexpr std::array<std::pair<const char*, const char*>, 5> k_links{{{"/proc/self/fd", "/fd"},
                                                                        {"/proc/self/fd/0", "/stdin"},
                                                                        {"/proc/self/fd/1", "/stdout"},
                                                                        {"/proc/self/fd/2", "/stderr"},
                                                                        {"/proc/kcore", "/core"}}};
  for (const auto& [target, name] : k_links) check(::symlink(target, (dev + name).c_str()), dev + name);
}

}  // namespace tektii::exec
