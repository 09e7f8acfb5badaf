#pragma once

#include <tektii/exec/executor.hpp>

namespace tektii::exec {

// The exit codes by which a shell reports a program that can't be started.
inline constexpr int k_not_executable = 126;
inline constexpr int k_not_found = 127;

// Replaces the process by the command of the spec: argv[0] is looked up in the PATH of the spec's environment, as
// execvpe() does. When that fails, writes why to standard error and returns one of the codes above.
int execute_command(const RunSpec& spec);

}  // namespace tektii::exec
