#pragma once

#include "exec/init_report.hpp"
#include "exec/run_plan.hpp"
#include <tektii/util/fd.hpp>

#include <sys/types.h>

#include <optional>

namespace tektii::exec {

// A running init as its parent sees it. The destructor ends and reaps it; after that, no process and no mount of the
// run is left.
class InitProcess {
 public:
  // Starts this program again by posix_spawn: a fork of a process with threads could do next to nothing safely.
  explicit InitProcess(const RunPlan& plan);
  InitProcess(const InitProcess&) = delete;
  InitProcess& operator=(const InitProcess&) = delete;
  ~InitProcess();

  int standard_output() const { return output_.get(); }  // non-blocking, as the two below
  int standard_error() const { return error_.get(); }
  int reports() const { return reports_.get(); }

  void terminate_command();  // SIGTERM
  void kill_all();
  // Waits for the end and returns the status as waitpid() gives it. Kills nothing.
  int wait();

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
  UniqueFd error_;
  UniqueFd reports_;
  UniqueFd control_;
  std::optional<int> status_;
};

}  // namespace tektii::exec
