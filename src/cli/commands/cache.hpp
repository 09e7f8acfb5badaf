#pragma once

#include "cli/context.hpp"

#include <string>
#include <vector>

namespace tektii::cli {

struct CachePruneOptions {
  std::string keep_storage;  // a size; empty: nothing is kept
  std::string older_than;    // a duration; empty: however old
  std::vector<std::string> filters;
  bool all = false;
  bool dry_run = false;
  bool force = false;
};

// `tektii cache du|prune`.
void setup_cache(CLI::App& root, CommandContext& context);

// Both must be called while the process has one thread: an ordinary user enters the namespace in which unpacked layers
// can be read and removed.
int run_cache_du(CommandContext& context);
int run_cache_prune(const CachePruneOptions& options, CommandContext& context);

}  // namespace tektii::cli
