#include "cli/scenario_view.hpp"

#include "cli/table.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

bool is_percentage(const std::string& name) {
  return name == "totalReturn" || name.ends_with("Pct");
}

}  // namespace

std::string metric_label(const std::string& name) {
  return words_of_camel_case(name.ends_with("Pct") ? name.substr(0, name.size() - 3) : name);
}

std::string format_metric(const api::Metric& metric) {
  if (is_percentage(metric.name)) return fmt::format("{:.2f}%", metric.value);
  const bool whole = std::abs(metric.value) < 1e15 && std::floor(metric.value) == metric.value;
  return whole ? fmt::format("{:.0f}", metric.value) : fmt::format("{:.2f}", metric.value);
}

std::string scenario_record(const api::Scenario& scenario) {
  std::vector<std::pair<std::string, std::string>> fields = {{"Scenario ID", scenario.id}, {"State", scenario.state}};
  const std::pair<std::string, std::string> optional_fields[] = {{"Strategy ID", scenario.strategy_id},
                                                                 {"Version ID", scenario.strategy_version_id},
                                                                 {"Start Time", scenario.start_time},
                                                                 {"End Time", scenario.end_time},
                                                                 {"Created At", scenario.created_at},
                                                                 {"Completed At", scenario.completed_at},
                                                                 {"Error", scenario.failure}};
  for (const auto& field : optional_fields) {
    if (!field.second.empty()) fields.push_back(field);
  }
  for (const api::Metric& metric : scenario.metrics)
    fields.emplace_back(metric_label(metric.name), format_metric(metric));
  if (scenario.simulated) fields.emplace_back("Simulated", "yes: synthetic numbers, not a backtest");
  return render_record(fields);
}

}  // namespace tektii::cli
