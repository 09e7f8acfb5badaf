#pragma once

#include "init_process.hpp"
#include <tektii/exec/executor.hpp>

#include <optional>
#include <stop_token>

namespace tektii::exec {

// What a run came to: the first failure or the end of the command; neither when the init was killed.
struct RunOutcome {
  std::optional<InitReport> failed;
  std::optional<InitReport> exited;
};

// Passes the output of a run on until it has ended and its processes are reaped. On stop the command gets SIGTERM and,
// 2 seconds later, everything SIGKILL; the outcome then says how far it came. Exceptions of the sink pass through.
RunOutcome pump_output(InitProcess& init, OutputSink& sink, const std::stop_token& stop);

}  // namespace tektii::exec
