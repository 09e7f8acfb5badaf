#pragma once

#include "cli/commands/list_options.hpp"
#include "cli/context.hpp"
#include <tektii/api/types.hpp>

#include <string>
#include <vector>

namespace tektii::cli {

struct ScenarioCreateOptions {
  std::string strategy;
  std::string config;                  // a file
  std::vector<std::string> overrides;  // "path=value"
  bool wait = false;
  std::vector<std::string> fail_if;  // conditions, with `wait`
};
struct ScenarioListOptions {
  std::string strategy;
  ListOptions page;
};
struct ScenarioGetOptions {
  std::string strategy;
  std::string scenario;
};

struct ScenarioWaitOptions {
  std::string strategy;
  std::string scenario;
  std::vector<std::string> fail_if;
};

// `tektii scenario create|list|get|wait|cancel`.
void setup_scenario(CLI::App& root, CommandContext& context);

// With `wait` it ends when the run has, and the exit code is that of conclude().
int run_scenario_create(const ScenarioCreateOptions& options, CommandContext& context);
int run_scenario_list(const ScenarioListOptions& options, CommandContext& context);
int run_scenario_get(const ScenarioGetOptions& options, CommandContext& context);
int run_scenario_wait(const ScenarioWaitOptions& options, CommandContext& context);
int run_scenario_cancel(const ScenarioGetOptions& options, CommandContext& context);

}  // namespace tektii::cli
