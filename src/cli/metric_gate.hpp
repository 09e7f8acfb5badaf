#pragma once

#include <tektii/api/types.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tektii::cli {

// A condition of --fail-if, "sharpeRatio < 1.0": what must not hold for a finished run.
struct MetricGate {
  enum class Comparison { less, less_or_equal, greater, greater_or_equal, equal };

  std::string text;  // as given
  std::string metric;
  Comparison comparison = Comparison::less;
  double limit = 0;

  // Throws Error{usage} with what is wrong; a '%' behind the number is ignored.
  static MetricGate parse(const std::string& text);
  bool holds(double value) const;
};

enum class GateOutcome {
  passed,
  failed,   // the condition holds
  missing,  // the run does not have the metric, so that nothing can be said
};

struct GateResult {
  GateOutcome outcome = GateOutcome::passed;
  std::string explanation;  // "sharpeRatio is 0.70: sharpeRatio < 1.0"
};

// One result per gate, in order.
std::vector<GateResult> check_gates(const std::vector<MetricGate>& gates, const api::Scenario& scenario);

}  // namespace tektii::cli
