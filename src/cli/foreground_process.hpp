#pragma once

#include "cli/terminal.hpp"

#include <string>
#include <vector>

namespace tektii::cli {

// Runs a program found in PATH with this process's streams, in its process group, so that a Ctrl-C at the terminal
// reaches it directly; SIGTERM and SIGHUP to this process are passed on to it. `extra_env` holds "NAME=value" that
// replace what the environment has. Returns its exit code, 128 + signal when a signal ended it; when there is no such
// program 127 and when it can't be executed 126, as a shell does, after an error on the terminal.
int run_in_foreground(const std::vector<std::string>& argv, const std::vector<std::string>& extra_env,
                      Terminal& terminal);

}  // namespace tektii::cli
