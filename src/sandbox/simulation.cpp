#include "sandbox/simulation.hpp"

#include "sandbox/instruments.hpp"
#include <tektii/util/hash.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace tektii::sandbox {
namespace {

constexpr std::int64_t k_max_points = 500;

// The distributions of <random> differ between standard libraries, the engine does not.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : engine_(seed) {}

  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }  // [0, 1)

  // Standard normal (Box and Muller).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }

 private:
  std::mt19937_64 engine_;
};

double round_cents(double value) {
  return std::round(value * 100) / 100;
}

// Five significant digits are enough for any price.
double round_price(double value) {
  const double scale = std::pow(10, 4 - std::floor(std::log10(value)));
  return std::round(value * scale) / scale;
}

std::uint64_t make_seed(std::string_view image_digest, const ScenarioConfig& config) {
  Sha256 hash;
  hash.update_field(image_digest).update_field(nlohmann::json(config).dump());
  return std::stoull(hash.finish_hex().substr(0, 16), nullptr, 16);
}

// The shortest candle that is subscribed to, or more when that would give too many points.
std::int64_t choose_step(const ScenarioConfig& config) {
  constexpr std::string_view k_candle = "candle_";
  std::int64_t step = 0;
  for (const Granularity& granularity : granularities()) {
    for (const Subscription& subscription : config.subscriptions) {
      for (const std::string& event : subscription.events) {
        const bool matches = event.starts_with(k_candle) && event.substr(k_candle.size()) == granularity.name;
        if (matches && step == 0) step = granularity.seconds;
      }
    }
  }
  constexpr std::int64_t k_hour = 3600;
  const std::int64_t length = config.end_time - config.start_time;
  step = std::max(step == 0 ? k_hour : step, (length + k_max_points - 1) / k_max_points);
  return std::max<std::int64_t>(1, std::min(step, length));
}

struct OpenTrade {
  Trade trade;
  std::size_t entry = 0;  // indexes of points
  std::size_t exit = 0;
};

class Simulator {
 public:
  Simulator(std::string_view image_digest, const ScenarioConfig& config)
      : config_(config), generator_(make_seed(image_digest, config)), step_(choose_step(config)) {
    drift_ = 0.002 + 0.004 * generator_.normal();
  }

  Simulation run() {
    const auto points = static_cast<std::size_t>((config_.end_time - config_.start_time) / step_) + 1;
    for (const Subscription& subscription : config_.subscriptions) make_trades(subscription.instrument, points);
    std::stable_sort(trades_.begin(), trades_.end(),
                     [](const OpenTrade& a, const OpenTrade& b) { return a.exit < b.exit; });
    Simulation result;
    result.curve = make_curve(points);
    for (const OpenTrade& open : trades_) result.trades.push_back(open.trade);
    return result;
  }

 private:
  std::int64_t time_of(std::size_t point) const {
    return config_.start_time + static_cast<std::int64_t>(point) * step_;
  }

  // One position at a time per subscription, each a few points long.
  void make_trades(const std::string& symbol, std::size_t points) {
    constexpr std::size_t k_longest_gap = 12;
    constexpr std::size_t k_longest_trade = 16;
    const Instrument* instrument = find_instrument(symbol);
    double price = instrument == nullptr ? 100 : instrument->price;
    std::size_t point = 1 + generator_.below(k_longest_gap);
    while (true) {
      const std::size_t exit = point + 1 + generator_.below(k_longest_trade);
      if (exit >= points) return;
      price = round_price(price * std::exp(0.01 * generator_.normal()));
      trades_.push_back(make_trade(symbol, price, point, exit));
      price = trades_.back().trade.exit_price;
      point = exit + 1 + generator_.below(k_longest_gap);
    }
  }

  OpenTrade make_trade(const std::string& symbol, double price, std::size_t entry, std::size_t exit) {
    const double share = 0.25 / static_cast<double>(config_.subscriptions.size());
    const double gain = std::clamp(drift_ + 0.02 * generator_.normal(), -0.5, 0.5);
    OpenTrade open;
    open.entry = entry;
    open.exit = exit;
    Trade& trade = open.trade;
    trade.instrument = symbol;
    trade.is_long = generator_.uniform() < 0.6;
    trade.entry_time = time_of(entry);
    trade.exit_time = time_of(exit);
    trade.entry_price = price;
    trade.exit_price = round_price(price * (1 + (trade.is_long ? gain : -gain)));
    trade.quantity = std::floor(config_.initial_capital * share / price * 1e8) / 1e8;
    const double move = trade.is_long ? trade.exit_price - trade.entry_price : trade.entry_price - trade.exit_price;
    trade.profit = round_cents(move * trade.quantity);
    return open;
  }

  // Closed trades count in full; an open one counts by how far it has come, with noise that is gone when it closes.
  std::vector<EquityPoint> make_curve(std::size_t points) {
    std::vector<double> equity(points, config_.initial_capital);
    for (const OpenTrade& open : trades_) {
      const double notional = open.trade.entry_price * open.trade.quantity;
      for (std::size_t i = open.entry + 1; i < points; ++i) {
        if (i >= open.exit) {
          equity[i] += open.trade.profit;
          continue;
        }
        const double progress = static_cast<double>(i - open.entry) / static_cast<double>(open.exit - open.entry);
        const double noise = 0.004 * notional * std::sin(std::numbers::pi * progress) * generator_.normal();
        equity[i] += open.trade.profit * progress + noise;
      }
    }
    std::vector<EquityPoint> curve;
    double peak = 0;
    for (std::size_t i = 0; i < points; ++i) {
      const double value = round_cents(equity[i]);
      peak = std::max(peak, value);
      curve.push_back({time_of(i), value, peak > 0 ? (peak - value) / peak * 100 : 0});
    }
    return curve;
  }

  const ScenarioConfig& config_;
  Generator generator_;
  std::int64_t step_;
  double drift_ = 0;
  std::vector<OpenTrade> trades_;
};

// Ratios per year of the returns between points.
void add_risk_metrics(const std::vector<EquityPoint>& curve, Metrics& metrics) {
  constexpr std::size_t k_enough_points = 30;
  constexpr double k_year = 365.0 * 86400;
  if (curve.size() < k_enough_points) return;
  const auto count = static_cast<double>(curve.size() - 1);
  double sum = 0;
  std::vector<double> returns;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (curve[i - 1].equity <= 0) return;
    returns.push_back(curve[i].equity / curve[i - 1].equity - 1);
    sum += returns.back();
  }
  const double mean = sum / count;
  double squares = 0;
  double squares_below = 0;
  for (const double value : returns) {
    squares += (value - mean) * (value - mean);
    squares_below += std::min(value, 0.0) * std::min(value, 0.0);
  }
  const double per_year = std::sqrt(k_year / static_cast<double>(curve[1].time - curve[0].time));
  const double deviation = std::sqrt(squares / (count - 1));
  const double deviation_below = std::sqrt(squares_below / count);
  metrics.volatility_pct = deviation * per_year * 100;
  if (deviation > 0) metrics.sharpe_ratio = mean / deviation * per_year;
  if (deviation_below > 0) metrics.sortino_ratio = mean / deviation_below * per_year;
}

}  // namespace

Simulation simulate(std::string_view image_digest, const ScenarioConfig& config) {
  return Simulator(image_digest, config).run();
}

Metrics compute_metrics(const Simulation& simulation) {
  Metrics metrics;
  const double initial = simulation.curve.front().equity;
  metrics.final_equity = simulation.curve.back().equity;
  metrics.total_return = (metrics.final_equity / initial - 1) * 100;
  for (const EquityPoint& point : simulation.curve) {
    metrics.max_drawdown_pct = std::max(metrics.max_drawdown_pct, point.drawdown_pct);
  }
  metrics.total_trades = simulation.trades.size();
  if (simulation.trades.empty()) return metrics;

  double gains = 0;
  double losses = 0;
  std::size_t wins = 0;
  for (const Trade& trade : simulation.trades) {
    (trade.profit > 0 ? gains : losses) += std::abs(trade.profit);
    if (trade.profit > 0) ++wins;
  }
  const auto trades = static_cast<double>(metrics.total_trades);
  metrics.win_rate_pct = static_cast<double>(wins) / trades * 100;
  metrics.average_profit = (gains - losses) / trades;
  if (losses > 0) metrics.profit_factor = gains / losses;
  add_risk_metrics(simulation.curve, metrics);
  return metrics;
}

}  // namespace tektii::sandbox
