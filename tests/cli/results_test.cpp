#include "cli/cli_fixture.hpp"
#include "cli/results/csv.hpp"
#include "cli/results/equity_curve.hpp"
#include "cli/results/plot.hpp"
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>

#include <filesystem>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string csv(const std::string& json) {
  StringSource source(json);
  StringSink sink;
  write_records_csv(source, sink);
  return sink.take();
}

std::string csv_error(const std::string& json) {
  try {
    csv(json);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RecordsCsv, KeepsDigitsAndQuotesWhatNeedsIt) {
  EXPECT_EQ(csv(R"({"scenarioId":"s","list":[1,2],"data":[{"t":"a,b","v":1.10,"n":null,"b":true},)"
                R"({"t":"say \"x\"\n","v":-12345678901234567890,"n":5,"b":false}],"after":{"x":[]}})"),
            "t,v,n,b\n\"a,b\",1.10,,true\n\"say \"\"x\"\"\n\",-12345678901234567890,5,false\n");
  EXPECT_EQ(csv("[]"), "");
  EXPECT_EQ(csv(R"({"data":[]})"), "");
}

TEST(RecordsCsv, InnerObjectsAndArraysAndOtherOrders) {
  EXPECT_EQ(csv(R"([{"a":1,"p":{"open":2,"q":{"x":3}},"tags":["x",{"k":[null,"v"]}],"z":4},{"z":5,"a":6}])"),
            "a,p.open,p.q.x,tags,z\n1,2,3,\"[\"\"x\"\",{\"\"k\"\":[null,\"\"v\"\"]}]\",4\n6,,,,5\n");
}

TEST(RecordsCsv, LosesNothingSilently) {
  EXPECT_THAT(csv_error(R"([{"a":1},{"a":2,"new":3}])"), HasSubstr("record 2 of the results has a field new"));
  EXPECT_THAT(csv_error(R"({"a":[{"x":1}],"b":[{"x":1}]})"), HasSubstr("more than one list"));
  EXPECT_THAT(csv_error(R"([{"a":1},)"), HasSubstr("they are not JSON"));
  EXPECT_THAT(csv_error("<html>"), HasSubstr("they are not JSON"));
  EXPECT_THAT(csv_error(R"([{"a":1,"a":2}])"), HasSubstr("names a field twice"));
}

TEST(EquityCurveTest, KeepsExtremesOfAnyNumberOfPoints) {
  EquityCurve curve;
  for (int i = 0; i < 1'000'001; ++i) curve.add(std::to_string(i), i == 777'777 ? 50 : i == 5 ? 900 : 500);
  EXPECT_EQ(curve.count(), 1'000'001U);
  EXPECT_GE(curve.equity().size(), 1024U);
  EXPECT_LE(curve.equity().size(), 2048U);
  EXPECT_EQ(curve.first_time() + "-" + curve.last_time(), "0-1000000");
  double lowest = 1e9;
  double highest = 0;
  double deepest = 0;
  for (const CurvePoint& point : curve.equity()) {
    lowest = std::min(lowest, point.lowest);
    highest = std::max(highest, point.highest);
  }
  for (const CurvePoint& point : curve.drawdown()) deepest = std::min(deepest, point.lowest);
  EXPECT_EQ(lowest, 50);
  EXPECT_EQ(highest, 900);
  EXPECT_NEAR(deepest, (50.0 - 900) / 900 * 100, 1e-9);
}

TEST(Plot, FitsItsWidth) {
  EquityCurve curve;
  for (int i = 0; i < 40; ++i) curve.add("2024-01-01T00:00:00Z", 100 + (i % 20));
  for (const bool utf8 : {true, false}) {
    const std::string text = plot_text(curve, {60, 6}, utf8);
    for (const std::string& line : split(text, '\n')) EXPECT_LE(display_width(line), 60U) << line;
    EXPECT_THAT(text, HasSubstr("119.00"));
    EXPECT_THAT(text, HasSubstr("-15.97%"));
    EXPECT_EQ(text.find("*") != std::string::npos, !utf8);
  }
  EquityCurve one;
  one.add("t", 5);
  EXPECT_THAT(plot_text(one, {10, 1}, true), HasSubstr("5.00"));
}

TEST(Plot, APictureIsXml) {
  EquityCurve curve;
  curve.add("<t>", 1);
  curve.add("b", 2);
  const std::string svg = plot_svg(curve, "a & b");
  EXPECT_THAT(svg, HasSubstr("a &amp; b"));
  EXPECT_THAT(svg, HasSubstr("&lt;t&gt;"));
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

struct ResultsTest : test::CliFixture {
  std::vector<std::string> results(std::vector<std::string> options) const {
    options.insert(options.begin(), {"scenario", "results", "strat_1", "scen_1"});
    return options;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      names.push_back(entry.path().filename());
    return names;
  }
  TempDir directory;
  std::string file = (directory.path() / "out.csv").string();
};

const char* const k_curve =
    R"({"data":[{"time":"2024-01-01T00:00:00Z","equity":100},{"time":"2024-01-02T00:00:00Z","equity":90.5}]})";

TEST_F(ResultsTest, JsonIsWhatThePlatformSends) {
  transport.answer(200, k_curve);
  EXPECT_EQ(run_with_key(results({"--type", "timeseries"})), 0);
  EXPECT_EQ(out.str(), std::string(k_curve) + "\n");
  EXPECT_EQ(transport.requests[0].url, "https://api.test/v1/strategies/strat_1/scenarios/scen_1/results/timeseries");
  EXPECT_THAT(err.str(), IsEmpty());
}

TEST_F(ResultsTest, CsvIntoAFile) {
  transport.answer(200, k_curve);
  EXPECT_EQ(run_with_key(results({"--type", "timeseries", "--format", "csv", "-o", file})), 0);
  EXPECT_EQ(read_file(file), "time,equity\n2024-01-01T00:00:00Z,100\n2024-01-02T00:00:00Z,90.5\n");
  EXPECT_EQ(err.str(), "✓ Wrote " + file + " (63 B)\n");
}

TEST_F(ResultsTest, MetadataAsCsv) {
  transport.answer(200, R"({"scenarioId":"scen_1","data":{"points":3,"config":{"mode":"netting"},"tags":["a"]}})");
  EXPECT_EQ(run_with_key(results({"--type", "metadata", "--format", "csv"})), 0);
  EXPECT_EQ(out.str(), "field,value\nscenarioId,scen_1\npoints,3\nconfig.mode,netting\ntags,\"[\"\"a\"\"]\"\n");
}

TEST_F(ResultsTest, AFailureLeavesNoFile) {
  write_file_atomic(file, "old");
  transport.answer(200, R"([{"a":1},)");
  EXPECT_EQ(run_with_key(results({"--type", "trades", "--format", "csv", "-o", file})), 5);
  EXPECT_EQ(read_file(file), "old");
  transport.answer(409, R"({"message":"scenario scen_1 is RUNNING"})");
  EXPECT_EQ(run_with_key(results({"--type", "trades", "-o", file})), 1);
  EXPECT_EQ(err.str(), "Error: conflict: scenario scen_1 is RUNNING\n");
  EXPECT_THAT(files(), ::testing::ElementsAre("out.csv"));
  EXPECT_EQ(run_with_key(results({"--type", "trades", "-o", directory.path().string()})), 2);
  EXPECT_THAT(err.str(), HasSubstr("is a directory"));
  EXPECT_EQ(run_with_key(results({})), 2);
  EXPECT_THAT(err.str(), HasSubstr("--type is required"));
}

TEST_F(ResultsTest, Plots) {
  transport.answer(200, k_curve).answer(200, k_curve);
  EXPECT_EQ(run_with_key(results({"--plot"})), 0);
  EXPECT_THAT(out.str(), HasSubstr("Drawdown"));
  const std::string picture = (directory.path() / "c.svg").string();
  EXPECT_EQ(run_with_key(results({"--plot", "-o", picture})), 0);
  EXPECT_THAT(read_file(picture), ::testing::StartsWith("<svg "));
}

TEST_F(ResultsTest, Compare) {
  transport.answer(200, R"({"id":"scen_1","state":"COMPLETE","metrics":{"totalReturn":1.5,"sharpeRatio":2}})");
  transport.answer(200, R"({"id":"scen_2","state":"FAILED","metrics":{"totalReturn":-1}})");
  EXPECT_EQ(run_with_key({"scenario", "compare", "strat_1", "scen_1", "scen_2"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("│ Metric       │ scen_1   │ scen_2 │\n"));
  EXPECT_THAT(out.str(), HasSubstr("│ Total Return │ 1.50%    │ -1.00% │\n│ Sharpe Ratio │ 2        │ -      │\n"));
  EXPECT_EQ(run_with_key({"scenario", "compare", "strat_1", "scen_1"}), 2);
}

TEST_F(ResultsTest, RawCalls) {
  transport.answer(200, "{\"a\":1}").answer(201, "").answer(404, "{}");
  EXPECT_EQ(run_with_key({"api", "get", "/v1/things?x=1", "--field", "name=a b"}), 0);
  EXPECT_EQ(out.str(), "{\"a\":1}\n");
  EXPECT_EQ(transport.requests[0].url, "https://api.test/v1/things?x=1&name=a%20b");
  EXPECT_EQ(run_with_key({"api", "POST", "/v1/things", "--field", "n=5", "--field", "s=x=y", "--field", "l=[1]"}), 0);
  EXPECT_EQ(transport.requests[1].body, R"({"n":5,"s":"x=y","l":[1]})");
  EXPECT_EQ(run_with_key({"api", "DELETE", "/v1/things"}), 1);
  EXPECT_EQ(err.str(), "Error: DELETE /v1/things not found\n");
  EXPECT_EQ(run_with_key({"api", "FETCH", "/v1/things"}), 2);
  EXPECT_EQ(run_with_key({"api", "GET", "v1/things"}), 2);
  EXPECT_EQ(run_with_key({"api", "GET", "//evil.test/x"}), 2);
  EXPECT_EQ(run_with_key({"api", "POST", "/v1/x", "--field", "novalue"}), 2);
}

TEST_F(ResultsTest, InstrumentsNeedNoKey) {
  transport.answer(200,
                   R"({"data":[{"symbol":"C:BTCUSD","name":"Bitcoin","market":"crypto","granularities":["1m","1h"],)"
                   R"("status":"available"}]})");
  EXPECT_EQ(run({"instruments", "list", "--market", "crypto", "--api-url", "https://api.test"}), 0) << err.str();
  EXPECT_EQ(transport.requests[0].url, "https://api.test/v1/instruments?market=crypto");
  EXPECT_EQ(transport.requests[0].header("X-API-Key"), "");
  EXPECT_THAT(out.str(), HasSubstr("│ C:BTCUSD │ Bitcoin │ crypto │ available │ 1m 1h   │"));
}

}  // namespace
}  // namespace tektii::cli
