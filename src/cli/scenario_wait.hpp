#pragma once

#include "cli/context.hpp"
#include "cli/metric_gate.hpp"
#include <tektii/api/client.hpp>

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tektii::cli {

// Polls a run until it has ended, more and more seldom: every 0.5 s at first, every 10 s at last. Shows the state and
// the time on one line of a terminal, each change of state on a line elsewhere. Throws Error{interrupted} with how to
// come back when a stop is requested; the run goes on.
api::Answer<api::Scenario> wait_for_end(api::Answer<api::Scenario> answer, const std::string& strategy,
                                        api::Client& client, CommandContext& context);

// --fail-if, repeatable.
CLI::Option* add_gate_options(CLI::App& command, std::vector<std::string>& conditions);
// Throws Error{usage}.
std::vector<MetricGate> parse_gates(const std::vector<std::string>& conditions);

// The exit code of a run that has ended (docs/errors.md): by its state, and for one that is COMPLETE by its gates, each
// of which is told of.
int conclude(const api::Scenario& scenario, const std::vector<MetricGate>& gates, CommandContext& context);

}  // namespace tektii::cli
