#include "fixture.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <thread>

namespace tektii::sandbox {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ScenarioTest : public SandboxTest {
 protected:
  ScenarioTest() {
    // Instantly COMPLETE, unless a test starts another sandbox.
    start({.pending_time = 0ms, .running_time = 0ms});
    strategy_ = create_strategy();
  }

  json config(const std::string& version) const {
    return {{"strategyVersionId", version},
            {"subscriptions", {{{"instrument", "C:BTCUSD"}, {"events", {"candle_1h", "order_update"}}}}},
            {"startTime", "2024-01-01T00:00:00Z"},
            {"endTime", "2024-02-01T00:00:00Z"},
            {"initialCapital", 50000}};
  }
  Answer create(const json& body) const { return api().post(path(), body); }
  std::string path() const { return "/v1/strategies/" + strategy_ + "/scenarios"; }

  std::string strategy_;
};

TEST_F(ScenarioTest, GoesThroughItsStatesByTheClock) {
  start({.pending_time = 400ms, .running_time = 400ms});
  strategy_ = create_strategy();
  const Answer created = create(config(ready_version(strategy_)));
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.json().at("status"), "PENDING");
  EXPECT_TRUE(created.json().at("simulated"));
  const std::string scenario = path() + "/" + created.json().at("id").get<std::string>();

  const Answer early = api().get(scenario + "/results/trades");
  EXPECT_EQ(early.status, 409);
  EXPECT_EQ(early.json()["error"]["code"], "not_complete");

  std::vector<std::string> states = {"PENDING"};
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (states.back() != "COMPLETE" && std::chrono::steady_clock::now() < deadline) {
    const json record = api().get(scenario).json();
    if (record.at("status") != states.back()) states.push_back(record.at("status"));
    EXPECT_EQ(record.contains("totalReturn"), states.back() == "COMPLETE");
    EXPECT_TRUE(record.at("simulated"));
    EXPECT_FALSE(record.at("note").get<std::string>().empty());
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(states, (std::vector<std::string>{"PENDING", "RUNNING", "COMPLETE"}));
}

TEST_F(ScenarioTest, MetricsAreThoseOfTheResults) {
  const json record = create(config(ready_version(strategy_))).json();
  const std::string id = record.at("id");
  const json run = api().get(path() + "/" + id).json();
  ASSERT_EQ(run.at("status"), "COMPLETE");
  const json curve = api().get(path() + "/" + id + "/results/timeseries").json();
  const json trades = api().get(path() + "/" + id + "/results/trades").json();
  const json metadata = api().get(path() + "/" + id + "/results/metadata").json();
  for (const json& document : {curve, trades, metadata}) EXPECT_TRUE(document.at("simulated"));

  double peak = 0;
  double drawdown = 0;
  for (const json& point : curve.at("data")) {
    const double equity = point.at("equity");
    peak = std::max(peak, equity);
    drawdown = std::max(drawdown, (peak - equity) / peak * 100);
  }
  const double first = curve.at("data").front().at("equity");
  const double last = curve.at("data").back().at("equity");
  EXPECT_EQ(first, 50000);
  EXPECT_NEAR(run.at("totalReturn").get<double>(), (last / first - 1) * 100, 1e-4);
  EXPECT_NEAR(run.at("maxDrawdownPct").get<double>(), drawdown, 1e-4);

  double gains = 0;
  double losses = 0;
  int wins = 0;
  for (const json& trade : trades.at("data")) {
    const double profit = trade.at("profit");
    (profit > 0 ? gains : losses) += std::abs(profit);
    wins += profit > 0 ? 1 : 0;
  }
  const auto count = static_cast<double>(trades.at("data").size());
  EXPECT_EQ(run.at("totalTrades"), trades.at("data").size());
  EXPECT_NEAR(run.at("winRatePct").get<double>(), wins / count * 100, 1e-4);
  EXPECT_NEAR(run.at("profitFactor").get<double>(), gains / losses, 1e-4);
  EXPECT_NEAR(last - first, gains - losses, 0.01);

  std::vector<double> returns;
  for (std::size_t i = 1; i < curve.at("data").size(); ++i) {
    returns.push_back(curve["data"][i]["equity"].get<double>() / curve["data"][i - 1]["equity"].get<double>() - 1);
  }
  double mean = 0;
  for (const double value : returns) mean += value / static_cast<double>(returns.size());
  double squares = 0;
  for (const double value : returns) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(returns.size() - 1));
  const double step = 31.0 * 86400 / static_cast<double>(returns.size());  // the points cover January evenly
  EXPECT_NEAR(run.at("sharpeRatio").get<double>(), mean / deviation * std::sqrt(365 * 86400 / step), 0.05);
  EXPECT_EQ(metadata.at("data").at("totalReturn"), run.at("totalReturn"));
}

TEST_F(ScenarioTest, SameImageAndConfigurationGiveTheSameRun) {
  const std::string version = ready_version(strategy_);
  const std::string first = create(config(version)).json().at("id");
  const std::string second = create(config(version)).json().at("id");
  EXPECT_EQ(api().get(path() + "/" + first + "/results/timeseries").json().at("data"),
            api().get(path() + "/" + second + "/results/timeseries").json().at("data"));
}

TEST_F(ScenarioTest, CancelWorksUntilItEnds) {
  start({.pending_time = 60s, .running_time = 60s});
  strategy_ = create_strategy();
  const std::string id = create(config(ready_version(strategy_))).json().at("id");
  const Answer cancelled = api().send("POST", path() + "/" + id + "/cancel");
  EXPECT_EQ(cancelled.status, 200) << cancelled.body;
  EXPECT_EQ(cancelled.json().at("status"), "CANCELLED");
  EXPECT_EQ(api().get(path() + "/" + id).json().at("status"), "CANCELLED");
  const Answer again = api().send("POST", path() + "/" + id + "/cancel");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.json()["error"]["code"], "already_ended");
  EXPECT_EQ(api().get(path() + "/" + id + "/results/metadata").status, 409);
}

TEST_F(ScenarioTest, CancelOfACompleteOneIsRefused) {
  const std::string id = create(config(ready_version(strategy_))).json().at("id");
  EXPECT_EQ(api().send("POST", path() + "/" + id + "/cancel").status, 409);
  EXPECT_EQ(api().send("POST", path() + "/scen_0/cancel").status, 404);
}

TEST_F(ScenarioTest, NeedsAVersionWithAnImage) {
  const std::string pending = create_version(strategy_).at("versionId");
  const Answer no_image = create(config(pending));
  EXPECT_EQ(no_image.status, 409);
  EXPECT_EQ(no_image.json()["error"]["code"], "no_image");

  ASSERT_EQ(push(strategy_ + "/image", pending, make_image("x", "linux", "arm64")).status, 201);
  const Answer failed = create(config(pending));
  EXPECT_EQ(failed.status, 409);
  EXPECT_EQ(failed.json()["error"]["message"], "Image platform mismatch (expected linux/amd64, got linux/arm64)");

  EXPECT_EQ(create(config("ver_0")).status, 422);
  EXPECT_EQ(create(config(ready_version(create_strategy("other")))).status, 422);
}

TEST_F(ScenarioTest, EveryFaultIsNamed) {
  json body = config(ready_version(strategy_));
  body["subscriptions"][0]["events"][0] = "candle_3h";
  body["endTime"] = "2023-01-01T00:00:00Z";
  body["initialCapital"] = 0;
  const Answer answer = create(body);
  EXPECT_EQ(answer.status, 422) << answer.body;
  const json body_of_answer = answer.json();
  std::vector<std::string> paths;
  for (const json& field : body_of_answer.at("error").at("fields")) {
    paths.push_back(field.at("path"));
    EXPECT_FALSE(field.at("message").get<std::string>().empty());
  }
  EXPECT_THAT(paths, ::testing::UnorderedElementsAre("subscriptions[0].events[0]", "endTime", "initialCapital"));
}

TEST_F(ScenarioTest, InstrumentsMustExistAndBeAvailable) {
  json body = config(ready_version(strategy_));
  body["subscriptions"].push_back({{"instrument", "C:BTCUSDT"}, {"events", {"candle_1h"}}});
  body["subscriptions"].push_back({{"instrument", "C:LUNAUSD"}, {"events", {"candle_1h"}}});
  const Answer answer = create(body);
  ASSERT_EQ(answer.status, 422) << answer.body;
  const json fields = answer.json()["error"]["fields"];
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0]["path"], "subscriptions[1].instrument");
  EXPECT_THAT(fields[0]["message"].get<std::string>(), ::testing::HasSubstr("did you mean \"C:BTCUSD\"?"));
  EXPECT_EQ(fields[1]["path"], "subscriptions[2].instrument");
}

TEST_F(ScenarioTest, AreListedNewestFirst) {
  const std::string version = ready_version(strategy_);
  const std::string first = create(config(version)).json().at("id");
  const std::string second = create(config(version)).json().at("id");
  const json page = api().get(path() + "?limit=1").json();
  ASSERT_EQ(page.at("scenarios").size(), 1U);
  EXPECT_EQ(page["scenarios"][0]["id"], second);
  EXPECT_TRUE(page["scenarios"][0]["simulated"]);
  const json rest = api().get(path() + "?cursor=" + page.at("nextCursor").get<std::string>()).json();
  EXPECT_EQ(rest["scenarios"][0]["id"], first);
  EXPECT_EQ(api().get(path() + "/" + first + "/results/nothing").status, 404);
}

}  // namespace
}  // namespace tektii::sandbox
