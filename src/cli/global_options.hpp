#pragma once

#include "cli/context.hpp"

namespace tektii::cli {

// Adds the global options and --version to the root; to be called before any command is added, because commands inherit
// that unknown options fall through to the root. A flag beats the environment, which beats the default.
void setup_global_options(CLI::App& root, GlobalOptions& options);

// Makes quietness and log level take effect.
void apply_global_options(CommandContext& context);

}  // namespace tektii::cli
