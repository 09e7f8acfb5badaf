#pragma once

#include "cli/context.hpp"

#include <string>
#include <vector>

namespace tektii::cli {

struct ScenarioResultsOptions {
  std::string strategy;
  std::string scenario;
  std::string type;             // metadata, timeseries, trades; empty with `plot`
  std::string format = "json";  // or csv
  std::string file;             // empty or "-": standard output
  bool plot = false;
};

struct ScenarioCompareOptions {
  std::string strategy;
  std::vector<std::string> scenarios;
};

// Adds `results` and `compare` to the `scenario` command.
void setup_scenario_results(CLI::App& scenario, CommandContext& context);

// Streams a document of any length; a file appears under its name only when it is complete.
int run_scenario_results(const ScenarioResultsOptions& options, CommandContext& context);
int run_scenario_compare(const ScenarioCompareOptions& options, CommandContext& context);

}  // namespace tektii::cli
