#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii {

struct ProcessOptions {
  std::optional<std::filesystem::path> cwd;
  std::vector<std::string> extra_env;  // "NAME=value", added to this process's environment
  // Asked for every variable of this process's environment: true leaves it out (extra_env is not asked about).
  std::function<bool(std::string_view name)> leave_out;
  std::string stdin_text;
  std::chrono::milliseconds timeout{30000};
  std::size_t output_limit = 1 << 20;  // per stream; more is an Error
  // Ends the program with all it started: SIGTERM, so that it can clean up, and SIGKILL two seconds later.
  std::stop_token stop;
};

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when it was killed
  bool not_found = false;
  bool timed_out = false;  // it was killed and reaped
  std::string out;
  std::string err;
};

// Runs a program found in PATH, without a shell, and collects its output. Never forks the threaded process: uses
// posix_spawn. Outcomes of the program are values; only failures of the machinery throw, and Error{interrupted} on a
// stop.
ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options = {});

}  // namespace tektii
