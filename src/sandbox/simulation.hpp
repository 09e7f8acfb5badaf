#pragma once

#include "sandbox/model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

struct EquityPoint {
  std::int64_t time = 0;    // Unix seconds
  double equity = 0;        // in cents' precision
  double drawdown_pct = 0;  // below the highest equity so far
};

struct Trade {
  std::string instrument;
  bool is_long = true;
  std::int64_t entry_time = 0;  // Unix seconds
  std::int64_t exit_time = 0;
  double entry_price = 0;
  double exit_price = 0;
  double quantity = 0;
  double profit = 0;  // (exit - entry) * quantity, sign turned for a short; in cents' precision
};

// Values that make no sense for the run (no loss to divide by, too few points) are empty.
struct Metrics {
  double total_return = 0;      // percent of the initial capital
  double max_drawdown_pct = 0;  // percent of the peak before it
  std::optional<double> win_rate_pct;
  std::size_t total_trades = 0;
  double final_equity = 0;
  std::optional<double> profit_factor;   // gross profit / gross loss
  std::optional<double> average_profit;  // per trade
  std::optional<double> sharpe_ratio;    // of the returns between points, annualised, risk-free rate 0
  std::optional<double> sortino_ratio;
  std::optional<double> volatility_pct;  // annualised
};

struct Simulation {
  std::vector<EquityPoint> curve;  // from start to end of the run, evenly spaced
  std::vector<Trade> trades;       // by exit time
};

// Made up from a random generator that is seeded with the image's digest and the configuration: the same version and
// configuration always give the same run. It says nothing about the strategy.
Simulation simulate(std::string_view image_digest, const ScenarioConfig& config);

// Computed from the curve and the trades alone.
Metrics compute_metrics(const Simulation& simulation);

}  // namespace tektii::sandbox
