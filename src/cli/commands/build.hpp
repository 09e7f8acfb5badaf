#pragma once

#include "cli/build/options.hpp"
#include "cli/context.hpp"

namespace tektii::cli {

// `tektii build [OPTIONS] CONTEXT`.
void setup_build(CLI::App& root, CommandContext& context);

// The options that `build` and `version upload` share.
void add_build_options(CLI::App& command, BuildOptions& options);

// What a build has to say at its end, on standard error.
void print_warnings(const builder::BuildResult& result, Terminal& terminal);

// The progress mode that the global options leave: -q silences it, and log lines of -v would tear a live display.
std::string progress_of(const BuildOptions& options, const CommandContext& context);

// Builds, writes the outputs, pushes; prints the digest of the manifest.
int run_build(const BuildOptions& options, CommandContext& context);

}  // namespace tektii::cli
