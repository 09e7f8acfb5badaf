#pragma once

#include <string>
#include <vector>

namespace tektii::cli {

// Runs a program found in PATH with this process's streams, in its process group, so that a Ctrl-C at the terminal
// reaches it directly; SIGTERM to this process is passed on to it. `extra_env` holds "NAME=value" that replace what the
// environment has. Returns its exit code, 128 + signal when a signal ended it, 127 when there is no such program and
// 126 when it can't be executed, as a shell does.
int run_in_foreground(const std::vector<std::string>& argv, const std::vector<std::string>& extra_env);

}  // namespace tektii::cli
