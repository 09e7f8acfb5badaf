#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tektii::exec {

// The steps of an init, in the order in which they are taken. The parent names the one that failed.
enum class Step : std::uint8_t {
  read_plan,
  watch_parent,
  new_namespaces,
  start_process,
  mount_propagation,
  open_layer,
  mount_overlay,
  mount_root,
  prepare_mount_point,
  mount_proc,
  mount_sys,
  mount_dev,
  mount_etc_file,
  find_mount_source,
  make_secret,
  make_run_mount,
  raise_loopback,
  set_host_name,
  pivot_root,
  make_working_directory,
  change_directory,
  set_limits,
  drop_capabilities,
  set_user,
  wait_for_command,
};

std::string_view describe(Step step);

// What an init tells its parent, one message per write: a closed set, so that an unexpected message is an error itself.
struct InitReport {
  enum class Kind : std::uint8_t {
    failed = 1,  // step, error_number and path say what could not be done
    exited = 2,  // wait_status is the command's, as waitpid() gives it
  };

  Kind kind = Kind::failed;
  Step step = Step::read_plan;
  std::int32_t error_number = 0;
  std::int32_t wait_status = 0;
  std::string path;  // cut to 512 bytes
};

// A message of fixed size, below PIPE_BUF: it is written and read as a whole.
inline constexpr std::size_t k_report_size = 528;
std::string serialize_report(const InitReport& report);
// Throws Error for anything that is not one message.
InitReport parse_report(std::string_view bytes);

// Thrown inside an init, where nothing but an errno can be told; caught at its top and sent as Kind::failed.
struct StepFailure {
  Step step;
  int error_number;
  std::string path;
};

}  // namespace tektii::exec
