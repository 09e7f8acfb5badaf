#include "cli/metric_gate.hpp"

#include "cli/scenario_view.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace tektii::cli {

namespace {

using Comparison = MetricGate::Comparison;

// Longer ones first: "<" begins "<=".
constexpr std::array<std::pair<std::string_view, Comparison>, 5> k_signs = {{{"<=", Comparison::less_or_equal},
                                                                             {">=", Comparison::greater_or_equal},
                                                                             {"==", Comparison::equal},
                                                                             {"<", Comparison::less},
                                                                             {">", Comparison::greater}}};

Error wrong(const std::string& text, std::string_view why) {
  return Error(ErrorKind::usage, fmt::format("--fail-if \"{}\": {}", escape_control(text), why))
      .add_hint("for example --fail-if 'sharpeRatio < 1.0'; comparisons are < <= > >= ==");
}

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
                              std::string_view::npos;
}

GateResult check(const MetricGate& gate, const api::Scenario& scenario) {
  const auto value = scenario.metric(gate.metric);
  if (!value) {
    std::vector<std::string> names;
    for (const api::Metric& metric : scenario.metrics) names.push_back(metric.name);
    std::string text = fmt::format("{}: the run has no {}", gate.text, gate.metric);
    if (const auto meant = closest_match(gate.metric, names)) {
      text += fmt::format(" (did you mean {}?)", *meant);
    } else if (!names.empty()) {
      text += fmt::format(" (it has {})", join(names, ", "));
    }
    return {GateOutcome::missing, text};
  }
  return {gate.holds(*value) ? GateOutcome::failed : GateOutcome::passed,
          fmt::format("{}: {} is {}", gate.text, gate.metric, format_metric({gate.metric, *value}))};
}

}  // namespace

MetricGate MetricGate::parse(const std::string& text) {
  const std::size_t place = text.find_first_of("<>=!");
  if (place == std::string::npos) throw wrong(text, "it has no comparison");
  MetricGate gate;
  gate.text = trim(text);
  gate.metric = trim(text.substr(0, place));
  if (!is_name(gate.metric)) throw wrong(text, "it does not begin with the name of a metric");
  std::string_view rest = std::string_view(text).substr(place);
  const auto* sign =
      std::find_if(k_signs.begin(), k_signs.end(), [&](const auto& one) { return rest.starts_with(one.first); });
  if (sign == k_signs.end()) throw wrong(text, "the comparison is not known");
  gate.comparison = sign->second;
  rest = trim(rest.substr(sign->first.size()));
  if (rest.ends_with('%')) rest = trim(rest.substr(0, rest.size() - 1));
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), gate.limit);
  if (error != std::errc() || end != rest.data() + rest.size() || !std::isfinite(gate.limit)) {
    throw wrong(text, "it does not end with a number");
  }
  return gate;
}

bool MetricGate::holds(double value) const {
  switch (comparison) {
    case Comparison::less:
      return value < limit;
    case Comparison::less_or_equal:
      return value <= limit;
    case Comparison::greater:
      return value > limit;
    case Comparison::greater_or_equal:
      return value >= limit;
    case Comparison::equal:
      return value == limit;
  }
  return false;
}

std::vector<GateResult> check_gates(const std::vector<MetricGate>& gates, const api::Scenario& scenario) {
  std::vector<GateResult> results;
  results.reserve(gates.size());
  for (const MetricGate& gate : gates) results.push_back(check(gate, scenario));
  return results;
}

}  // namespace tektii::cli
