#pragma once

#include "cli/context.hpp"

namespace tektii::cli {

// Adds every command to the root.
void make_commands(CLI::App& root, CommandContext& context);

}  // namespace tektii::cli
