#pragma once

#include "cli/context.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tektii::cli {

struct SandboxOptions {
  std::string data;  // empty: a temporary directory
  std::uint16_t port = 0;
  std::vector<std::string> command;
};

// `tektii sandbox [--data DIR] [--port N] [-- COMMAND...]`.
void setup_sandbox(CLI::App& root, CommandContext& context);

// With a command: the command's exit code. Without: prints the exports and serves until interrupted, which is success.
int run_sandbox(const SandboxOptions& options, CommandContext& context);

}  // namespace tektii::cli
