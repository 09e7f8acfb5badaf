#include "init_report.hpp"

#include <tektii/util/error.hpp>

#include <cstring>

namespace tektii::exec {

namespace {

struct Wire {
  std::uint8_t kind;
  std::uint8_t step;
  std::uint16_t path_size;
  std::int32_t error_number;
  std::int32_t wait_status;
  char path[512];
};
static_assert(sizeof(Wire) <= k_report_size);

}  // namespace

std::string_view describe(Step step) {
  switch (step) {
    case Step::read_plan:
      return "read the run plan";
    case Step::watch_parent:
      return "watch the parent process";
    case Step::new_namespaces:
      return "create the namespaces";
    case Step::start_process:
      return "start a process";
    case Step::mount_propagation:
      return "make the mounts private";
    case Step::open_layer:
      return "open a layer directory";
    case Step::mount_overlay:
      return "mount the overlay";
    case Step::mount_root:
      return "mount the root directory";
    case Step::prepare_mount_point:
      return "prepare a mount point";
    case Step::mount_proc:
      return "mount /proc";
    case Step::mount_sys:
      return "mount /sys";
    case Step::mount_dev:
      return "mount /dev";
    case Step::mount_etc_file:
      return "mount the host's name service files";
    case Step::find_mount_source:
      return "find what RUN --mount names";
    case Step::make_secret:
      return "keep a secret in memory";
    case Step::make_run_mount:
      return "make the mount of RUN --mount";
    case Step::raise_loopback:
      return "bring up the loopback interface";
    case Step::set_host_name:
      return "set the host name";
    case Step::pivot_root:
      return "change the root directory";
    case Step::make_working_directory:
      return "make the working directory";
    case Step::change_directory:
      return "change to the working directory";
    case Step::set_limits:
      return "set the limit";
    case Step::drop_capabilities:
      return "drop capabilities";
    case Step::set_user:
      return "change the user";
    case Step::wait_for_command:
      return "wait for the command";
  }
  return "take an unknown step";
}

std::string serialize_report(const InitReport& report) {
  Wire wire{};
  wire.kind = static_cast<std::uint8_t>(report.kind);
  wire.step = static_cast<std::uint8_t>(report.step);
  wire.error_number = report.error_number;
  wire.wait_status = report.wait_status;
  wire.path_size = static_cast<std::uint16_t>(std::min(report.path.size(), sizeof wire.path));
  std::memcpy(wire.path, report.path.data(), wire.path_size);
  std::string bytes(k_report_size, '\0');
  std::memcpy(bytes.data(), &wire, sizeof wire);
  return bytes;
}

InitReport parse_report(std::string_view bytes) {
  Wire wire{};
  if (bytes.size() == k_report_size) std::memcpy(&wire, bytes.data(), sizeof wire);
  const bool known = wire.kind >= static_cast<std::uint8_t>(InitReport::Kind::failed) &&
                     wire.kind <= static_cast<std::uint8_t>(InitReport::Kind::exited) &&
                     wire.step <= static_cast<std::uint8_t>(Step::wait_for_command) &&
                     wire.path_size <= sizeof wire.path;
  if (!known) throw Error(ErrorKind::failure, "unexpected message from the init of a run");
  InitReport report;
  report.kind = static_cast<InitReport::Kind>(wire.kind);
  report.step = static_cast<Step>(wire.step);
  report.error_number = wire.error_number;
  report.wait_status = wire.wait_status;
  report.path.assign(wire.path, wire.path_size);
  return report;
}

}  // namespace tektii::exec
