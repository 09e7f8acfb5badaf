#pragma once

#include <tektii/api/types.hpp>

#include <string>

namespace tektii::cli {

// The record of a scenario with its metrics; a simulated one is marked as such.
std::string scenario_record(const api::Scenario& scenario);

// "Max Drawdown" for "maxDrawdownPct".
std::string metric_label(const std::string& name);

// A metric for the eye: percentages with a '%', counts without a fraction, other numbers with two digits.
std::string format_metric(const api::Metric& metric);

}  // namespace tektii::cli
