#pragma once

#include "cli/commands/list_options.hpp"
#include "cli/context.hpp"
#include <tektii/api/types.hpp>

#include <string>

namespace tektii::cli {

struct StrategyCreateOptions {
  std::string name;
};
struct StrategyListOptions {
  ListOptions page;
};
struct StrategyGetOptions {
  std::string id;
};

// `tektii strategy create|list|get`.
void setup_strategy(CLI::App& root, CommandContext& context);

int run_strategy_create(const StrategyCreateOptions& options, CommandContext& context);
int run_strategy_list(const StrategyListOptions& options, CommandContext& context);
int run_strategy_get(const StrategyGetOptions& options, CommandContext& context);

}  // namespace tektii::cli
