#pragma once

#include "cli/context.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tektii::cli {

using CommandSetup = std::function<void(CLI::App& root, CommandContext& context)>;

// Parses `args` (without the program's name), runs the command that they choose and renders what goes wrong. Returns
// the exit code; never throws.
int run_command_line(const std::vector<std::string>& args, CommandContext& context, const CommandSetup& make_commands);

}  // namespace tektii::cli
