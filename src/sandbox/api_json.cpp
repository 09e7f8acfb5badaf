#include "sandbox/api_json.hpp"

#include "sandbox/instruments.hpp"
#include "sandbox/simulation.hpp"
#include <tektii/util/clock.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

constexpr const char* k_simulated_note =
    "simulated: made up by the local sandbox from a seeded random equity curve; the strategy was not run";

std::string show_time(std::int64_t milliseconds) {
  return format_rfc3339(milliseconds / 1000);
}

double round_digits(double value) {
  return std::round(value * 10000) / 10000;
}

void put(json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

void put(json& object, const char* name, const std::optional<double>& value) {
  if (value) object[name] = round_digits(*value);
}

void mark_simulated(json& object) {
  object["simulated"] = true;
  object["note"] = k_simulated_note;
}

json show_config(const ScenarioConfig& config) {
  json result = config;
  result["startTime"] = format_rfc3339(config.start_time);
  result["endTime"] = format_rfc3339(config.end_time);
  return result;
}

json show_metrics(const Metrics& metrics) {
  json result = {{"totalReturn", round_digits(metrics.total_return)},
                 {"maxDrawdownPct", round_digits(metrics.max_drawdown_pct)},
                 {"totalTrades", metrics.total_trades},
                 {"finalEquity", metrics.final_equity}};
  put(result, "winRatePct", metrics.win_rate_pct);
  put(result, "profitFactor", metrics.profit_factor);
  put(result, "averageProfit", metrics.average_profit);
  put(result, "sharpeRatio", metrics.sharpe_ratio);
  put(result, "sortinoRatio", metrics.sortino_ratio);
  put(result, "volatilityPct", metrics.volatility_pct);
  return result;
}

json show_curve(const Simulation& simulation) {
  json list = json::array();
  for (const EquityPoint& point : simulation.curve) {
    list.push_back({{"time", format_rfc3339(point.time)},
                    {"equity", point.equity},
                    {"drawdownPct", round_digits(point.drawdown_pct)}});
  }
  return list;
}

json show_trades(const Simulation& simulation) {
  json list = json::array();
  for (const Trade& trade : simulation.trades) {
    list.push_back({{"instrument", trade.instrument},
                    {"side", trade.is_long ? "long" : "short"},
                    {"entryTime", format_rfc3339(trade.entry_time)},
                    {"exitTime", format_rfc3339(trade.exit_time)},
                    {"entryPrice", trade.entry_price},
                    {"exitPrice", trade.exit_price},
                    {"quantity", trade.quantity},
                    {"profit", trade.profit}});
  }
  return list;
}

}  // namespace

json show_strategy(const Strategy& strategy) {
  return {{"id", strategy.id},
          {"name", strategy.name},
          {"ownerId", strategy.owner_id},
          {"createdBy", strategy.owner_id},
          {"createdAt", show_time(strategy.created_at)},
          {"updatedAt", show_time(strategy.updated_at)}};
}

json show_version(const Version& version, const std::string& image) {
  json result = {{"id", version.id},
                 {"strategyId", version.strategy_id},
                 {"status", name_of(version.status)},
                 {"image", version.image_digest.empty() ? image : image + "@" + version.image_digest},
                 {"createdAt", show_time(version.created_at)},
                 {"updatedAt", show_time(version.updated_at)}};
  put(result, "gitSha", version.git_sha);
  put(result, "parentVersionId", version.parent_version_id);
  put(result, "template", version.template_name);
  put(result, "imageDigest", version.image_digest);
  put(result, "platform", version.platform);
  put(result, "error", version.failure);
  if (version.confirmed_at) result["confirmedAt"] = show_time(*version.confirmed_at);
  return result;
}

json show_scenario(const Scenario& scenario, std::int64_t now) {
  const ScenarioStatus status = scenario.status_at(now);
  json result = {{"id", scenario.id},
                 {"strategyId", scenario.strategy_id},
                 {"status", name_of(status)},
                 {"imageDigest", scenario.image_digest},
                 {"createdAt", show_time(scenario.created_at)}};
  result.update(show_config(scenario.config));
  mark_simulated(result);
  const std::int64_t end = scenario.cancelled_at.value_or(now);
  if (end >= scenario.starts_at) result["startedAt"] = show_time(scenario.starts_at);
  if (status == ScenarioStatus::cancelled) result["cancelledAt"] = show_time(*scenario.cancelled_at);
  if (status == ScenarioStatus::complete) {
    result["completedAt"] = show_time(scenario.completes_at);
    result.update(show_metrics(compute_metrics(simulate(scenario.image_digest, scenario.config))));
  }
  return result;
}

json show_instruments(const std::string& market, const std::string& status) {
  json names = json::array();
  for (const Granularity& granularity : granularities()) names.push_back(granularity.name);
  json list = json::array();
  for (const Instrument& instrument : instruments()) {
    const std::string availability = instrument.available ? "available" : "unavailable";
    if ((!market.empty() && market != instrument.market) || (!status.empty() && status != availability)) continue;
    list.push_back({{"symbol", instrument.symbol},
                    {"name", instrument.name},
                    {"market", instrument.market},
                    {"granularities", names},
                    {"status", availability}});
  }
  return {{"data", std::move(list)}};
}

json show_results(const Scenario& scenario, const std::string& type) {
  const Simulation simulation = simulate(scenario.image_digest, scenario.config);
  json result = {{"scenarioId", scenario.id}, {"type", type}};
  mark_simulated(result);
  if (type == "timeseries") {
    result["data"] = show_curve(simulation);
  } else if (type == "trades") {
    result["data"] = show_trades(simulation);
  } else {
    result["data"] = show_config(scenario.config);
    result["data"]["imageDigest"] = scenario.image_digest;
    result["data"]["points"] = simulation.curve.size();
    result["data"].update(show_metrics(compute_metrics(simulation)));
  }
  return result;
}

}  // namespace tektii::sandbox
