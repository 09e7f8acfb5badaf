#include "api/scenario_vocabulary.hpp"
#include <tektii/api/scenario_config.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tektii::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const char* const k_valid = R"({
  "strategyVersionId": "ver_1",
  "subscriptions": [{"instrument": "C:BTCUSD", "events": ["candle_1h", "order_update"]}],
  "startTime": "2024-01-01T00:00:00Z",
  "endTime": "2024-02-01T00:00:00Z"
})";

// A valid document, changed by a merge patch (RFC 7386: null removes a field), and the faults it then has.
struct ConfigRow {
  const char* patch;
  std::vector<std::string> faults;
};

class ConfigTable : public ::testing::TestWithParam<ConfigRow> {};

TEST_P(ConfigTable, Faults) {
  json document = json::parse(k_valid);
  document.merge_patch(json::parse(GetParam().patch));
  std::vector<std::string> found;
  for (const ConfigFault& fault : check_scenario_config(document.dump(), "s.json")) found.push_back(fault.str());
  EXPECT_EQ(found, GetParam().faults) << document.dump();
}

#define ONE(events) R"({"subscriptions":[{"instrument":"X","events":)" events "}]}"
const std::string k_ids = " (`tektii version list STRATEGY` shows the ids)";
const std::string k_form = R"( (write [{"instrument": "C:BTCUSD", "events": ["candle_1h"]}]))";
const std::string k_rfc = " (RFC 3339, for example \"2024-01-15T00:00:00Z\")";
const std::string k_range = " (a number from 1 to 100000000; the default is 100000)";
const std::string k_modes = " (\"netting\" (the default) or \"hedging\")";
const std::string k_e0 = "subscriptions[0].events[0]: ";

INSTANTIATE_TEST_SUITE_P(
    Valid, ConfigTable,
    ::testing::Values(
        ConfigRow{"{}", {}}, ConfigRow{R"({"initialCapital":1})", {}}, ConfigRow{R"({"initialCapital":100000000})", {}},
        ConfigRow{R"({"initialCapital":2500.5})", {}}, ConfigRow{R"({"positionMode":"netting"})", {}},
        ConfigRow{R"({"positionMode":"hedging"})", {}}, ConfigRow{R"({"somethingNew":{"a":1}})", {}},
        ConfigRow{R"({"startTime":"2024-01-01T02:00:00+02:00","endTime":"2024-01-01T00:00:01Z"})", {}},
        ConfigRow{R"({"startTime":"2024-01-01T00:00:00.1Z","endTime":"2024-01-01T00:00:00.25Z"})", {}},
        ConfigRow{ONE(R"(["candle_1m","candle_2m","candle_5m","candle_10m","candle_15m","candle_30m","candle_1h",
          "candle_2h","candle_4h","candle_12h","candle_1d","candle_1w"])"),
                  {}},
        ConfigRow{ONE(R"(["order_update","position_update","account_update","trade_update"])"), {}}));

INSTANTIATE_TEST_SUITE_P(
    VersionId, ConfigTable,
    ::testing::Values(ConfigRow{R"({"strategyVersionId":null})", {"strategyVersionId is required" + k_ids}},
                      ConfigRow{R"({"strategyVersionId":7})", {"strategyVersionId: 7 is not a string" + k_ids}},
                      ConfigRow{R"({"strategyVersionId":" "})", {"strategyVersionId: \" \" is empty" + k_ids}},
                      ConfigRow{R"({"strategyVersionID":"v","strategyVersionId":null})",
                                {"strategyVersionID: \"v\" is not a known field (did you mean \"strategyVersionId\"?)",
                                 "strategyVersionId is required" + k_ids}},
                      ConfigRow{R"({"initial_capital":5})",
                                {"initial_capital: 5 is not a known field (did you mean \"initialCapital\"?)"}}));

INSTANTIATE_TEST_SUITE_P(
    Subscriptions, ConfigTable,
    ::testing::Values(
        ConfigRow{R"({"subscriptions":null})", {"subscriptions is required" + k_form}},
        ConfigRow{R"({"subscriptions":"X"})", {"subscriptions: \"X\" is not an array" + k_form}},
        ConfigRow{R"({"subscriptions":[]})", {"subscriptions: [] is empty" + k_form}},
        ConfigRow{
            R"({"subscriptions":["X"]})",
            {R"(subscriptions[0]: "X" is not an object (write {"instrument": "C:BTCUSD", "events": ["candle_1h"]}))"}},
        ConfigRow{R"({"subscriptions":[{"events":["candle_1h"]}]})",
                  {"subscriptions[0].instrument is required (for example \"C:BTCUSD\")"}},
        ConfigRow{R"({"subscriptions":[{"instrument":1,"events":["candle_1h"]}]})",
                  {"subscriptions[0].instrument: 1 is not a string (for example \"C:BTCUSD\")"}},
        ConfigRow{R"({"subscriptions":[{"instrument":"","events":["candle_1h"]}]})",
                  {"subscriptions[0].instrument: \"\" is empty (for example \"C:BTCUSD\")"}},
        ConfigRow{R"({"subscriptions":[{"instrument":"X"}]})",
                  {R"(subscriptions[0].events is required (for example ["candle_1h", "order_update"]))"}},
        ConfigRow{R"({"subscriptions":[{"instrument":"X","event":["candle_1h"]}]})",
                  {R"(subscriptions[0].event: ["candle_1h"] is not a known field (did you mean "events"?))",
                   R"(subscriptions[0].events is required (for example ["candle_1h", "order_update"]))"}},
        ConfigRow{ONE(R"("candle_1h")"),
                  {R"(subscriptions[0].events: "candle_1h" is not an array (write ["candle_1h"]))"}},
        ConfigRow{ONE("[]"), {R"(subscriptions[0].events: [] is empty (for example ["candle_1h", "order_update"]))"}},
        ConfigRow{ONE("[5]"), {k_e0 + "5 is not a string (for example \"candle_1h\")"}}));

INSTANTIATE_TEST_SUITE_P(
    Times, ConfigTable,
    ::testing::Values(
        ConfigRow{R"({"startTime":null})", {"startTime is required" + k_rfc}},
        ConfigRow{R"({"endTime":null})", {"endTime is required" + k_rfc}},
        ConfigRow{R"({"startTime":1704067200})", {"startTime: 1704067200 is not a string" + k_rfc}},
        ConfigRow{R"({"startTime":"2024-01-01"})",
                  {R"(startTime: "2024-01-01" is not an RFC 3339 time (did you mean "2024-01-01T00:00:00Z"?))"}},
        ConfigRow{R"({"startTime":"2024-01-01 10:00"})",
                  {R"(startTime: "2024-01-01 10:00" is not an RFC 3339 time (did you mean "2024-01-01T10:00:00Z"?))"}},
        ConfigRow{R"({"endTime":"2024-02-30T00:00:00Z"})",
                  {"endTime: \"2024-02-30T00:00:00Z\" is not an RFC 3339 time" + k_rfc}},
        ConfigRow{R"({"endTime":"soon"})", {"endTime: \"soon\" is not an RFC 3339 time" + k_rfc}},
        ConfigRow{R"({"endTime":"2024-01-01T00:00:00Z"})",
                  {"endTime: \"2024-01-01T00:00:00Z\" is not after startTime (choose a time after "
                   "\"2024-01-01T00:00:00Z\" (endTime itself is not part of the run))"}},
        ConfigRow{R"({"endTime":"2023-01-01T00:00:00Z"})",
                  {"endTime: \"2023-01-01T00:00:00Z\" is not after startTime (choose a time after "
                   "\"2024-01-01T00:00:00Z\" (endTime itself is not part of the run))"}}));

INSTANTIATE_TEST_SUITE_P(
    Capital, ConfigTable,
    ::testing::Values(ConfigRow{R"({"initialCapital":0})", {"initialCapital: 0 is out of range" + k_range}},
                      ConfigRow{R"({"initialCapital":0.99})", {"initialCapital: 0.99 is out of range" + k_range}},
                      ConfigRow{R"({"initialCapital":-5})", {"initialCapital: -5 is out of range" + k_range}},
                      ConfigRow{R"({"initialCapital":100000001})",
                                {"initialCapital: 100000001 is out of range" + k_range}},
                      ConfigRow{R"({"initialCapital":"5000"})",
                                {"initialCapital: \"5000\" is not a number (write 5000 without the quotes)"}},
                      ConfigRow{R"({"initialCapital":"much"})", {"initialCapital: \"much\" is not a number" + k_range}},
                      ConfigRow{R"({"positionMode":"neting"})",
                                {"positionMode: \"neting\" is not a known mode (did you mean \"netting\"?)"}},
                      ConfigRow{R"({"positionMode":"HEDGING"})",
                                {"positionMode: \"HEDGING\" is not a known mode (did you mean \"hedging\"?)"}},
                      ConfigRow{R"({"positionMode":"both"})", {"positionMode: \"both\" is not a known mode" + k_modes}},
                      ConfigRow{R"({"positionMode":false})", {"positionMode: false is not a string" + k_modes}}));

struct EventRow {
  const char* word;
  const char* meant;  // nullptr: no guess
};

class EventTable : public ::testing::TestWithParam<EventRow> {};

TEST_P(EventTable, Suggestion) {
  const auto meant = suggest_event(GetParam().word);
  if (GetParam().meant == nullptr) {
    EXPECT_EQ(meant, std::nullopt);
  } else {
    EXPECT_EQ(meant.value_or("nothing"), GetParam().meant);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, EventTable,
                         ::testing::Values(EventRow{"candle_5min", "candle_5m"}, EventRow{"candle_1H", "candle_1h"},
                                           EventRow{"candle_60m", "candle_1h"}, EventRow{"1d", "candle_1d"},
                                           EventRow{"daily", "candle_1d"}, EventRow{"candle-15m", "candle_15m"},
                                           EventRow{"candles_1w", "candle_1w"}, EventRow{"candle4h", "candle_4h"},
                                           EventRow{"bar_h4", "candle_4h"}, EventRow{"order", "order_update"},
                                           EventRow{"order_updates", "order_update"},
                                           EventRow{"TRADE_UPDATE", "trade_update"},
                                           EventRow{"postion_update", "position_update"},
                                           EventRow{"heartbeat", nullptr}, EventRow{"", nullptr}));

TEST(ScenarioConfig, UnknownEventWithoutAGuessListsTheKnownOnes) {
  json document = json::parse(k_valid);
  document["subscriptions"][0]["events"][1] = "heartbeat";
  const auto faults = check_scenario_config(document.dump(), "s.json");
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].path, "subscriptions[0].events[1]");
  EXPECT_EQ(faults[0].value, "\"heartbeat\"");
  EXPECT_THAT(faults[0].suggestion, HasSubstr("candle_1m, candle_2m"));
}

TEST(ScenarioConfig, FiftySubscriptionsAreTheMost) {
  json document = json::parse(k_valid);
  const json one = document["subscriptions"][0];
  while (document["subscriptions"].size() < 50) document["subscriptions"].push_back(one);
  EXPECT_TRUE(check_scenario_config(document.dump(), "s.json").empty());
  document["subscriptions"].push_back(one);
  const auto faults = check_scenario_config(document.dump(), "s.json");
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].str(), "subscriptions: 51 entries has too many entries (at most 50 are allowed)");
}

TEST(ScenarioConfig, AllFaultsComeInOneError) {
  try {
    ScenarioConfig::parse(R"({"subscriptions":[{"instrument":"X","events":["candle_5min","nope"]}],"endTime":"x"})",
                          "s.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.message(), ::testing::StartsWith("5 faults in the scenario configuration s.json\n"));
    EXPECT_THAT(error.message(), HasSubstr("\n  subscriptions[0].events[0]: \"candle_5min\" is not a known event "
                                           "(did you mean \"candle_5m\"?)"));
  }
}

TEST(ScenarioConfig, KeepsTheTextAsItWas) {
  EXPECT_EQ(ScenarioConfig::parse(k_valid, "s.json").json(), k_valid);
}

TEST(ScenarioConfig, TheDocumentIsAnObject) {
  const auto faults = check_scenario_config("[]", "s.json");
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults[0].str(), ::testing::StartsWith("the document: [] is not an object"));
}

struct PlaceRow {
  const char* text;
  int line;
  int column;
};

class JsonPlace : public ::testing::TestWithParam<PlaceRow> {};

TEST_P(JsonPlace, IsNamed) {
  try {
    check_scenario_config(GetParam().text, "s.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.message(), ::testing::StartsWith("s.json is not valid JSON: syntax error"));
    ASSERT_TRUE(error.span().has_value());
    EXPECT_EQ(error.span()->first_line, GetParam().line);
    EXPECT_EQ(error.span()->column, GetParam().column);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, JsonPlace,
                         ::testing::Values(PlaceRow{"{,}", 1, 2}, PlaceRow{"{\n  \"a\": x\n}", 2, 8},
                                           PlaceRow{"{\n\"a\": 1\n\"b\": 2}", 3, 3}, PlaceRow{"", 1, 1},
                                           PlaceRow{"{\"a\": 1,}", 1, 9}));

}  // namespace
}  // namespace tektii::api
