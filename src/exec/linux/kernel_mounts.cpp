#include "kernel_mounts.hpp"

#include "mount_points.hpp"
#include "mounts.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

namespace tektii::exec {

namespace {

constexpr unsigned long k_plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

void hide_directory(Step step, const std::string& path) {
  if (exists(path)) mount_filesystem({step, "tmpfs", path, k_plain | MS_RDONLY, "size=0"});
}

std::string read_host_file(const std::string& path) {
  if (!exists(path)) return {};
  try {
    constexpr std::size_t k_limit = 1 << 20;
    return read_file(path, k_limit);
  } catch (const Error&) {
    throw StepFailure{Step::mount_etc_file, EIO, path};
  }
}

void bind_content(const std::filesystem::path& root, const std::string& path, const std::filesystem::path& copy,
                  const std::string& content) {
  write_file_atomic(copy, content, 0644);
  const std::string target = resolve_mount_point(root, path);
  bind_mount(Step::mount_etc_file, copy.string(), target);
  make_read_only(Step::mount_etc_file, target, false);
}

}  // namespace

void mount_proc(const std::string& proc, SecurityMode security) {
  mount_filesystem({Step::mount_proc, "proc", proc, k_plain, ""});
  if (security == SecurityMode::insecure) return;
  for (const char* name : {"/kcore", "/keys", "/latency_stats", "/timer_list", "/timer_stats", "/sched_debug"}) {
    if (exists(proc + name)) bind_mount(Step::mount_proc, "/dev/null", proc + name);
  }
  for (const char* name : {"/scsi", "/acpi", "/asound"}) hide_directory(Step::mount_proc, proc + name);
  for (const char* name : {"/bus", "/fs", "/irq", "/sys", "/sysrq-trigger"}) {
    const std::string path = proc + name;
    if (!exists(path)) continue;
    bind_mount(Step::mount_proc, path, path);
    make_read_only(Step::mount_proc, path, true);
  }
}

void mount_sys(const std::string& sys, SecurityMode security) {
  const bool sandbox = security == SecurityMode::sandbox;
  const unsigned long flags = sandbox ? k_plain | MS_RDONLY : k_plain;
  int error_number = try_mount({Step::mount_sys, "sysfs", sys, flags, ""});
  // A sysfs shows a network namespace and belongs to who owns that: with the host's network, only root may mount it.
  if (error_number == EPERM || error_number == EACCES) {
    error_number = try_bind_mount("/sys", sys);
    if (error_number == 0 && sandbox) make_read_only(Step::mount_sys, sys, true);
  }
  if (error_number != 0) mount_filesystem({Step::mount_sys, "tmpfs", sys, k_plain | MS_RDONLY, "size=0"});
  if (sandbox) hide_directory(Step::mount_sys, sys + "/firmware");
}

void mount_etc_files(const std::filesystem::path& root, const std::filesystem::path& files, const RunSpec& spec) {
  bind_content(root, "/etc/resolv.conf", files / "resolv.conf", read_host_file("/etc/resolv.conf"));
  std::string hosts = read_host_file("/etc/hosts");
  if (hosts.empty()) hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!hosts.ends_with('\n')) hosts += '\n';
  std::string extra;
  for (const auto& [name, address] : spec.extra_hosts) extra += address + '\t' + name + '\n';
  bind_content(root, "/etc/hosts", files / "hosts", extra + hosts + "127.0.0.1\t" + spec.host_name + '\n');
}

}  // namespace tektii::exec
