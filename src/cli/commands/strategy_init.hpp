#pragma once

#include "cli/context.hpp"

#include <string>

namespace tektii::cli {

struct StrategyInitOptions {
  std::string template_name;  // empty: the templates are listed
  std::string directory;      // empty: ./TEMPLATE
  bool force = false;
};

struct ScenarioInitOptions {
  std::string file = "scenario.json";
  bool force = false;
};

// Adds `init` to the `strategy` command. Needs no key.
void setup_strategy_init(CLI::App& strategy, CommandContext& context);
// Adds `init` to the `scenario` command. Needs no key.
void setup_scenario_init(CLI::App& scenario, CommandContext& context);

// Writes the template's files into a directory that is not there or empty; with `force` over those of the same names.
int run_strategy_init(const StrategyInitOptions& options, CommandContext& context);
// Writes a commented configuration to begin with.
int run_scenario_init(const ScenarioInitOptions& options, CommandContext& context);

}  // namespace tektii::cli
