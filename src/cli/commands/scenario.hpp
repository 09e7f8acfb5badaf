#pragma once

#include "cli/context.hpp"
#include <tektii/api/types.hpp>

#include <string>

namespace tektii::cli {

struct ScenarioCreateOptions {
  std::string strategy;
  std::string config;  // a file
  bool wait = false;
};
struct ScenarioListOptions {
  std::string strategy;
  api::ListRequest page;
};
struct ScenarioGetOptions {
  std::string strategy;
  std::string scenario;
};

// `tektii scenario create|list|get`.
void setup_scenario(CLI::App& root, CommandContext& context);

// With `wait` it ends when the run has: exit code 1 when it did not complete.
int run_scenario_create(const ScenarioCreateOptions& options, CommandContext& context);
int run_scenario_list(const ScenarioListOptions& options, CommandContext& context);
int run_scenario_get(const ScenarioGetOptions& options, CommandContext& context);

}  // namespace tektii::cli
