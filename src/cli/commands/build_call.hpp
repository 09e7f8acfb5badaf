#pragma once

#include "cli/build/options.hpp"
#include "cli/context.hpp"

#include <string>
#include <vector>

namespace tektii::cli {

// --call and --check as they were given.
struct CallOptions {
  std::string call;
  bool check = false;
};

// What `tektii build` is to do with the Dockerfile.
struct Call {
  enum class Method { build, check, outline, targets };
  Method method = Method::build;
  bool json = false;
  bool ignore_status = false;  // warnings do not show in the exit code
};

void add_check_options(CLI::App& build, CallOptions& options);

// "METHOD[,format=text|json][,ignorestatus=BOOL]" as buildx has it; --check is --call=check. When nothing is built,
// --output says how the result is printed: `json` or `table`. Throws Error{usage} on anything else, with a suggestion,
// and on options that want a build when there is none.
Call parse_call(const CallOptions& options, const BuildOptions& build, const GlobalOptions& globals);

// Prints what the call asks for; returns the exit code: 1 when a check found something.
int run_call(const Call& call, const BuildOptions& options, CommandContext& context);

}  // namespace tektii::cli
