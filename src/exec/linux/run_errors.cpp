#include "run_errors.hpp"

#include <fmt/format.h>

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

namespace tektii::exec {

// By the magic numbers of statfs().
std::optional<std::string> unsuitable_file_system(const std::filesystem::path& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return std::nullopt;
  constexpr unsigned long k_fuse = 0x65735546;
  switch (static_cast<unsigned long>(info.f_type)) {
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    case NFS_SUPER_MAGIC:
      return "NFS";
    case V9FS_MAGIC:
      return "9p";
    case k_fuse:
      return "FUSE";
    default:
      return std::nullopt;
  }
}

namespace {

void add_overlay_hints(Error& error, const RunPlan& plan) {
  if (const auto file_system = unsuitable_file_system(plan.rootfs.upper_dir)) {
    error.add_hint(
        fmt::format("{} is on {}, which overlayfs can't write to; set TEKTII_CACHE_DIR to a directory on a "
                    "local file system (ext4, xfs, btrfs, tmpfs), in a container to a volume",
                    plan.rootfs.upper_dir.string(), *file_system));
  }
}

void add_mount_hints(Error& error, const InitReport& report) {
  const bool is_mount = report.step == Step::make_run_mount || report.step == Step::prepare_mount_point;
  if (is_mount && report.error_number == EISDIR) {
    error.add_hint("a file is to be mounted there, but the image has a directory of this name");
  }
  if (is_mount && report.error_number == ENOTDIR) {
    error.add_hint("a directory is to be mounted there, but the image has a file of this name or above it");
  }
  if (report.step == Step::make_secret && report.error_number == EINVAL) {
    error.add_hint("its uid or gid is not mapped in this user namespace; /etc/subuid and /etc/subgid say which are");
  }
  if (report.step == Step::set_limits && report.error_number == EPERM) {
    error.add_hint("only root may raise a hard limit");
  }
}

}  // namespace

Error to_error(const InitReport& report, const RunPlan& plan) {
  if (report.step == Step::change_directory && report.error_number == ENOENT) {
    return Error(ErrorKind::failure, fmt::format("the working directory {} does not exist in the image", report.path));
  }
  if (report.step == Step::find_mount_source && report.error_number == ENOENT) {
    return Error(ErrorKind::failure,
                 fmt::format("RUN --mount: {} does not exist in what it is mounted from", report.path));
  }
  std::string message = fmt::format("can't {}", describe(report.step));
  if (!report.path.empty()) message += ": " + report.path;
  if (report.error_number != 0) message += fmt::format(": {}", std::strerror(report.error_number));
  Error error(ErrorKind::failure, std::move(message));
  if (report.step == Step::mount_overlay) add_overlay_hints(error, plan);
  if (report.step == Step::mount_proc && report.error_number == EPERM) {
    error.add_hint(
        "parts of this container's /proc are masked, so the kernel allows no fresh one; start the container "
        "with unmasked /proc (docker: --security-opt systempaths=unconfined, Kubernetes: procMount: Unmasked)");
  }
  add_mount_hints(error, report);
  if (report.error_number == ENOSPC && report.step == Step::new_namespaces) {
    error.add_hint("the limits in /proc/sys/user/max_*_namespaces are reached");
  }
  return error;
}

}  // namespace tektii::exec
