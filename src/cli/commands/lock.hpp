#pragma once

#include "cli/build/options.hpp"
#include "cli/context.hpp"

#include <string>

namespace tektii::cli {

struct LockOptions {
  BuildOptions build;   // what changes the names in a Dockerfile: build arguments, contexts, the target
  bool check = false;   // write nothing; fail when the file is not what would be written
  bool update = false;  // ask again for what is locked
  std::string only;     // with `update`: for this name alone
};

// `tektii lock [OPTIONS] CONTEXT`.
void setup_lock(CLI::App& root, CommandContext& context);

// Writes the lock file, and prints what changed in it.
int run_lock(const LockOptions& options, CommandContext& context);

}  // namespace tektii::cli
