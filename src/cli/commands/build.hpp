#pragma once

#include "cli/build/driver.hpp"
#include "cli/build/options.hpp"
#include "cli/context.hpp"

namespace tektii::cli {

// `tektii build [OPTIONS] CONTEXT`.
void setup_build(CLI::App& root, CommandContext& context);

// The options that `build` and `version upload` share.
void add_build_options(CLI::App& command, BuildOptions& options);

// What a build has to say at its end, on standard error.
void print_warnings(const builder::BuildResult& result, Terminal& terminal);

// Where the time went, if that was asked for, on standard error; ends the live display.
void print_summary(BuildDriver& driver, Terminal& terminal);

// What the global options mean for the display: -q silences it, -v wants a summary, and its log lines would tear a live
// display.
void set_display(BuildOptions& options, const CommandContext& context);

// Builds, writes the outputs, pushes; prints the digest of the manifest.
int run_build(const BuildOptions& options, CommandContext& context);

}  // namespace tektii::cli
