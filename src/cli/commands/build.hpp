#pragma once

#include "cli/build/options.hpp"
#include "cli/context.hpp"

namespace tektii::cli {

// `tektii build [OPTIONS] CONTEXT`.
void setup_build(CLI::App& root, CommandContext& context);

// The options that `build` and `version upload` share.
void add_build_options(CLI::App& command, BuildOptions& options);

// Builds, writes the outputs, pushes; prints the digest of the manifest.
int run_build(const BuildOptions& options, CommandContext& context);

}  // namespace tektii::cli
