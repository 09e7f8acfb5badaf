#include "sandbox/simulation.hpp"

#include <tektii/util/clock.hpp>

#include <gtest/gtest.h>

namespace tektii::sandbox {
namespace {

ScenarioConfig make_config() {
  ScenarioConfig config;
  config.version_id = "ver_1";
  config.subscriptions = {{"C:BTCUSD", {"candle_1h"}}, {"C:ETHUSD", {"candle_4h", "order_update"}}};
  config.start_time = *parse_rfc3339("2024-01-01T00:00:00Z");
  config.end_time = *parse_rfc3339("2024-02-01T00:00:00Z");
  return config;
}

TEST(Simulation, IsTheSameForTheSameImageAndConfiguration) {
  const Simulation first = simulate("sha256:1", make_config());
  const Simulation again = simulate("sha256:1", make_config());
  const Simulation other_image = simulate("sha256:2", make_config());
  ScenarioConfig config = make_config();
  config.position_mode = "hedging";
  const Simulation other_config = simulate("sha256:1", config);
  EXPECT_EQ(first.curve.back().equity, again.curve.back().equity);
  EXPECT_EQ(first.trades.size(), again.trades.size());
  EXPECT_NE(first.curve.back().equity, other_image.curve.back().equity);
  EXPECT_NE(first.curve.back().equity, other_config.curve.back().equity);
}

TEST(Simulation, CurveStartsAtTheCapitalAndEndsWithTheTrades) {
  const Simulation run = simulate("sha256:1", make_config());
  ASSERT_GT(run.trades.size(), 10U);
  EXPECT_EQ(run.curve.front().equity, 100000);
  EXPECT_EQ(run.curve.front().time, make_config().start_time);
  EXPECT_LE(run.curve.back().time, make_config().end_time);
  double profit = 0;
  for (const Trade& trade : run.trades) {
    profit += trade.profit;
    EXPECT_LT(trade.entry_time, trade.exit_time);
    const double move = trade.is_long ? trade.exit_price - trade.entry_price : trade.entry_price - trade.exit_price;
    EXPECT_NEAR(trade.profit, move * trade.quantity, 0.0051);
  }
  EXPECT_NEAR(run.curve.back().equity, 100000 + profit, 0.01);
}

TEST(Simulation, LongRunsHaveABoundedNumberOfPoints) {
  ScenarioConfig config = make_config();
  config.subscriptions[0].events = {"candle_1m"};
  config.end_time = *parse_rfc3339("2030-01-01T00:00:00Z");
  const Simulation run = simulate("sha256:1", config);
  EXPECT_LE(run.curve.size(), 501U);
  EXPECT_GE(run.curve.size(), 400U);
}

TEST(Simulation, ShortestRunHasNoTradesAndNoRatios) {
  ScenarioConfig config = make_config();
  config.end_time = config.start_time + 1;
  const Metrics metrics = compute_metrics(simulate("sha256:1", config));
  EXPECT_EQ(metrics.total_trades, 0U);
  EXPECT_EQ(metrics.total_return, 0);
  EXPECT_FALSE(metrics.win_rate_pct);
  EXPECT_FALSE(metrics.sharpe_ratio);
  EXPECT_FALSE(metrics.profit_factor);
}

TEST(Simulation, SmallestCapitalStaysFinite) {
  ScenarioConfig config = make_config();
  config.initial_capital = 1;
  const Metrics metrics = compute_metrics(simulate("sha256:1", config));
  EXPECT_GT(metrics.final_equity, 0);
  EXPECT_GE(metrics.max_drawdown_pct, 0);
}

TEST(Metrics, OfAKnownCurve) {
  Simulation run;
  run.curve = {{0, 100, 0}, {60, 120, 0}, {120, 90, 25}, {180, 110, 10.0 / 120 * 100}};
  run.trades = {
      {"A", true, 0, 60, 10, 30, 1, 20}, {"A", true, 60, 120, 30, 0, 1, -30}, {"A", false, 120, 180, 20, 0, 1, 20}};
  const Metrics metrics = compute_metrics(run);
  EXPECT_NEAR(metrics.total_return, 10, 1e-9);
  EXPECT_EQ(metrics.max_drawdown_pct, 25);
  EXPECT_NEAR(*metrics.win_rate_pct, 200.0 / 3, 1e-9);
  EXPECT_NEAR(*metrics.profit_factor, 40.0 / 30, 1e-9);
  EXPECT_NEAR(*metrics.average_profit, 10.0 / 3, 1e-9);
  EXPECT_FALSE(metrics.sharpe_ratio) << "four points are not enough";
}

}  // namespace
}  // namespace tektii::sandbox
