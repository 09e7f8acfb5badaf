#include "cli/cli_fixture.hpp"
#include <tektii/oci/digest.hpp>

#include <gmock/gmock.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

namespace tektii {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using PlatformTest = test::CliFixture;

const char* const k_strategy =
    R"({"data":{"id":"strat_abc123","name":"My Strategy","ownerId":"user_1","createdBy":"user_2",)"
    R"("createdAt":"2024-01-15T10:30:00Z","updatedAt":"2024-01-16T00:00:00Z"}})";

TEST_F(PlatformTest, StrategyCreate) {
  transport.answer(201, k_strategy);
  EXPECT_EQ(run_with_key({"strategy", "create", "--name", "My Strategy"}), 0);
  EXPECT_EQ(err.str(), "✓ Strategy created successfully!\n\n");
  EXPECT_EQ(out.str(),
            "┌─────────────┬──────────────────────┐\n"
            "│ Field       │ Value                │\n"
            "├─────────────┼──────────────────────┤\n"
            "│ Strategy ID │ strat_abc123         │\n"
            "│ Name        │ My Strategy          │\n"
            "│ Owner ID    │ user_1               │\n"
            "│ Created By  │ user_2               │\n"
            "│ Created At  │ 2024-01-15T10:30:00Z │\n"
            "│ Updated At  │ 2024-01-16T00:00:00Z │\n"
            "└─────────────┴──────────────────────┘\n");
}

TEST_F(PlatformTest, StrategyList) {
  transport.answer(200, R"({"strategies":[{"id":"strat_1","name":"日本","createdAt":"2024-01-15T10:30:00+02:00"},)"
                        R"({"id":"strat_22","name":"b\u001b[31m"}],"nextCursor":"abc"})");
  EXPECT_EQ(run_with_key({"strategy", "list", "--limit", "2", "--cursor", "x"}), 0);
  EXPECT_EQ(transport.requests[0].url, "https://api.test/v1/strategies?limit=2&cursor=x");
  EXPECT_EQ(out.str(),
            "┌──────────┬───────────┬──────────────────┐\n"
            "│ ID       │ Name      │ Created          │\n"
            "├──────────┼───────────┼──────────────────┤\n"
            "│ strat_1  │ 日本      │ 2024-01-15 08:30 │\n"
            "│ strat_22 │ b\\x1b[31m │                  │\n"
            "└──────────┴───────────┴──────────────────┘\n");
  EXPECT_EQ(err.str(), "→ There are more: --cursor abc (or --all)\n");
}

TEST_F(PlatformTest, AnEmptyListIsNoTable) {
  transport.answer(200, "[]");
  EXPECT_EQ(run_with_key({"version", "list", "strat_1"}), 0);
  EXPECT_THAT(out.str(), IsEmpty());
  EXPECT_EQ(err.str(), "→ No versions found\n");
}

TEST_F(PlatformTest, JsonIsTheAnswerAlone) {
  transport.answer(200, k_strategy);
  EXPECT_EQ(run_with_key({"strategy", "get", "strat_abc123", "--output", "json"}), 0);
  EXPECT_EQ(out.str(), std::string(k_strategy) + "\n");
  EXPECT_THAT(err.str(), IsEmpty());
}

TEST_F(PlatformTest, VersionGet) {
  transport.answer(200, R"({"id":"ver_1","gitSha":"abc1234","createdAt":"2024-01-15T10:30:00Z"})");
  EXPECT_EQ(run_with_key({"version", "get", "strat_1", "ver_1"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("│ Git SHA    │ abc1234"));
}

TEST_F(PlatformTest, AnUnknownStrategyIsNamed) {
  transport.answer(404, R"({"error":"Not Found"})");
  EXPECT_EQ(run_with_key({"version", "list", "strat_x"}), 1);
  EXPECT_EQ(err.str(), "Error: strategy strat_x not found\n");
}

struct UploadTest : test::CliFixture {
  UploadTest() {
    write_file_atomic(directory.path() / "Dockerfile", "FROM scratch\n");
    transport.answer(201, R"({"versionId":"ver_xyz789","repositoryUrl":"https://reg.test/p/s","accessToken":"tok3n"})");
  }
  int upload(std::vector<std::string> extra) {
    std::vector<std::string> args = {"version", "upload", "strat_1", "--context", directory.path().string()};
    args.insert(args.end(), extra.begin(), extra.end());
    return run_with_key(args);
  }
  TempDir directory;
};

TEST_F(UploadTest, PrintsTheDocumentedLines) {
  transport.answer(204, "");
  EXPECT_EQ(upload({"--git-sha", "ABC1234def", "--parent", "ver_0", "--build-arg", "A=1"}), 0);
  EXPECT_EQ(err.str(),
            "Validating inputs...\n"
            "→ Detected version: abc1234\n"
            "Creating version in API...\n"
            "✓ Created version: ver_xyz789\n"
            "Building image reg.test/p/s:ver_xyz789 ...\n"
            "Verifying image platform...\n"
            "Pushing image to reg.test/p/s:ver_xyz789 ...\n"
            "\n"
            "✓ Version uploaded successfully!\n"
            "\n"
            "\n"
            "  Use this version ID when creating scenarios\n");
  EXPECT_EQ(out.str(), "  Version ID: ver_xyz789\n  Git SHA: abc1234\n  Image: reg.test/p/s:ver_xyz789@" +
                           oci::Digest::of_bytes("image").str() + "\n");
  EXPECT_EQ(transport.requests[0].body, R"({"gitSha":"abc1234","parentVersionId":"ver_0"})");
  EXPECT_EQ(transport.requests[1].url, "https://api.test/v1/strategies/strat_1/versions/ver_xyz789/confirm");
  EXPECT_THAT(builder->calls, ElementsAre("prepare", "build"));
  EXPECT_THAT(builder->build_args, ElementsAre("A=1"));
  EXPECT_EQ(builder->username, "oauth2accesstoken");
  EXPECT_EQ(builder->password, "tok3n");
  EXPECT_EQ(builder->inputs.dockerfile, directory.path() / "Dockerfile");
  EXPECT_EQ(builder->inputs.git_sha, "abc1234");
}

TEST_F(UploadTest, JsonHoldsNoToken) {
  transport.answer(404, "");
  EXPECT_EQ(upload({"--git-sha", "abc1234", "--output", "json"}), 0);
  EXPECT_EQ(out.str(), R"({"versionId":"ver_xyz789","gitSha":"abc1234","image":"reg.test/p/s:ver_xyz789@)" +
                           oci::Digest::of_bytes("image").str() + "\"}\n");
  EXPECT_THAT(out.str() + err.str(), Not(HasSubstr("tok3n")));
}

TEST_F(UploadTest, OutsideARepositoryTheTimeStandsIn) {
  ::setenv("GIT_CEILING_DIRECTORIES", directory.path().parent_path().c_str(), 1);
  transport.answer(404, "");
  EXPECT_EQ(upload({}), 0);
  ::unsetenv("GIT_CEILING_DIRECTORIES");
  EXPECT_THAT(err.str(), HasSubstr("Warning: Failed to detect git SHA, using timestamp fallback\n"
                                   "  fatal: not a git repository"));
  EXPECT_THAT(err.str(), HasSubstr("\n→ Detected version: ts-1705314600\n"));
}

TEST_F(UploadTest, FailedChecksCreateNoVersion) {
  builder->fail_prepare = true;
  EXPECT_EQ(upload({"--git-sha", "abc1234"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("Error: COPY source is missing\n"));
  EXPECT_THAT(transport.requests, IsEmpty());
}

TEST_F(UploadTest, AMissingKeyIsFoundBeforeTheChecks) {
  EXPECT_EQ(run({"version", "upload", "strat_1", "--git-sha", "abc1234", "--context", directory.path().string()}), 4);
  EXPECT_THAT(builder->calls, IsEmpty());
}

TEST_F(UploadTest, AFailedBuildNamesTheVersion) {
  builder->fail_build = true;
  EXPECT_EQ(upload({"--git-sha", "abc1234"}), 3);
  EXPECT_THAT(err.str(), HasSubstr("Error: RUN failed\nhint: version ver_xyz789 was created on the platform"));
  EXPECT_THAT(out.str(), IsEmpty());
}

TEST_F(UploadTest, AMissingDockerfileHasTheDocumentedText) {
  EXPECT_EQ(run_with_key({"version", "upload", "strat_1", "--dockerfile", "./nowhere/Dockerfile"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("Error: Dockerfile not found at ./nowhere/Dockerfile\nhint: use --dockerfile"));
  EXPECT_EQ(run_with_key({"version", "upload", "strat_1", "--context", "/nonexistent"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("Error: the context /nonexistent is not a directory\n"));
  EXPECT_THAT(transport.requests, IsEmpty());
}

TEST_F(UploadTest, AWrongGitShaIsRefused) {
  EXPECT_EQ(upload({"--git-sha", "main"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("Error: \"main\" is not a git SHA\n"));
}

TEST_F(UploadTest, ATemplateSkipsTheBuild) {
  EXPECT_EQ(run_with_key({"version", "upload", "strat_1", "--template", "ma-crossover"}), 0);
  EXPECT_EQ(transport.requests[0].body, R"({"template":"ma-crossover"})");
  EXPECT_EQ(out.str(), "  Version ID: ver_xyz789\n");
  EXPECT_THAT(builder->calls, IsEmpty());
}

TEST_F(UploadTest, ATemplateTakesNoOptionsOfTheBuild) {
  EXPECT_EQ(upload({"--template", "ma-crossover", "--build-arg", "A=1"}), 2);
  EXPECT_THAT(err.str(), ::testing::StartsWith("Error: --template excludes --context, --build-arg\nhint: "));
  EXPECT_EQ(run_with_key({"version", "upload", "strat_1", "--template", "ma-crossover", "--dockerfile", "x"}), 2);
  EXPECT_THAT(err.str(), ::testing::StartsWith("Error: --template excludes --dockerfile\n"));
  EXPECT_THAT(transport.requests, IsEmpty());
}

struct ScenarioTest : test::CliFixture {
  ScenarioTest() {
    write_file_atomic(config, R"({"strategyVersionId":"ver_1","startTime":"2024-01-01T00:00:00Z",)"
                              R"("endTime":"2024-02-01T00:00:00Z",)"
                              R"("subscriptions":[{"instrument":"C:BTCUSD","events":["candle_1h"]}]})");
  }
  TempDir directory;
  std::filesystem::path config = directory.path() / "scenario.json";
};

const char* const k_instruments = R"({"data":[{"symbol":"C:BTCUSD","name":"Bitcoin","market":"crypto",)"
                                  R"("granularities":["1m","1h"],"status":"available"},)"
                                  R"({"symbol":"C:OLD","status":"unavailable"}]})";

TEST_F(ScenarioTest, Create) {
  transport.answer(200, k_instruments).answer(201, R"({"id":"scen_1","state":"PENDING"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string()}), 0);
  EXPECT_EQ(transport.requests[0].url, "https://api.test/v1/instruments");
  EXPECT_EQ(transport.requests[0].bearer, "") << "no key is needed there";
  EXPECT_EQ(err.str(), "✓ Scenario created successfully!\n\n");
  EXPECT_EQ(out.str(),
            "┌─────────────┬─────────┐\n"
            "│ Field       │ Value   │\n"
            "├─────────────┼─────────┤\n"
            "│ Scenario ID │ scen_1  │\n"
            "│ State       │ PENDING │\n"
            "└─────────────┴─────────┘\n");
}

TEST_F(ScenarioTest, WaitsForTheEnd) {
  transport.answer(200, k_instruments).answer(201, R"({"id":"scen_1","state":"PENDING"})");
  transport.answer(200, R"({"id":"scen_1","state":"RUNNING"})");
  transport.answer(200, R"({"id":"scen_1","state":"COMPLETE","simulated":true,"metrics":{"totalReturn":12.345,)"
                        R"("maxDrawdownPct":4,"winRatePct":55.5,"totalTrades":42,"sharpeRatio":1.5}})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string(), "--wait"}), 0);
  EXPECT_THAT(clock.sleeps, ElementsAre(500, 750));
  EXPECT_THAT(err.str(), HasSubstr("→ Scenario is PENDING\n→ Scenario is RUNNING\n→ Scenario is COMPLETE\n"));
  EXPECT_EQ(out.str(),
            "┌──────────────┬────────────────────────────────────────┐\n"
            "│ Field        │ Value                                  │\n"
            "├──────────────┼────────────────────────────────────────┤\n"
            "│ Scenario ID  │ scen_1                                 │\n"
            "│ State        │ COMPLETE                               │\n"
            "│ Total Return │ 12.35%                                 │\n"
            "│ Max Drawdown │ 4.00%                                  │\n"
            "│ Win Rate     │ 55.50%                                 │\n"
            "│ Total Trades │ 42                                     │\n"
            "│ Sharpe Ratio │ 1.50                                   │\n"
            "│ Simulated    │ yes: synthetic numbers, not a backtest │\n"
            "└──────────────┴────────────────────────────────────────┘\n");
}

TEST_F(ScenarioTest, AFailedRunIsAFailure) {
  transport.answer(200, k_instruments).answer(201, R"({"id":"scen_1","state":"FAILED","error":"out of memory"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string(), "--wait"}), 20);
  EXPECT_THAT(out.str(), HasSubstr("out of memory"));
}

TEST_F(ScenarioTest, UnknownInstrumentsAreNamedBeforeAnythingIsSent) {
  write_file_atomic(config, R"({"strategyVersionId":"ver_1","startTime":"2024-01-01T00:00:00Z",)"
                            R"("endTime":"2024-02-01T00:00:00Z","subscriptions":[)"
                            R"({"instrument":"C:BTCUSD","events":["candle_1h"]},)"
                            R"({"instrument":"C:BTCUSDT","events":["candle_1h"]},)"
                            R"({"instrument":"C:OLD","events":["candle_1h"]}]})");
  transport.answer(200, k_instruments);
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string()}), 2);
  EXPECT_EQ(err.str(),
            "Error: 2 faults in the scenario configuration\n"
            "  subscriptions[1].instrument: \"C:BTCUSDT\" is not an instrument of the platform (did you mean "
            "\"C:BTCUSD\"?)\n"
            "  subscriptions[2].instrument: \"C:OLD\" is not available at present\n"
            "hint: nothing was sent; `tektii instruments list` shows what there is\n");
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(ScenarioTest, InstrumentsThatCannotBeHadAreNotChecked) {
  transport.answer(404, "{}").answer(201, R"({"id":"scen_1","state":"PENDING"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string()}), 0);
}

TEST_F(ScenarioTest, ValuesAreSetAndCommentsAreNotSent) {
  write_file_atomic(config, "// a comment\r\n" + read_file(config));
  transport.answer(200, k_instruments).answer(201, R"({"id":"scen_1","state":"PENDING"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string(), "--set", "initialCapital=5000",
                          "--set", "strategyVersionId=ver_2", "--set", "subscriptions[0].events[1]=trade_update"}),
            0)
      << err.str();
  EXPECT_EQ(transport.requests[1].body,
            R"({"strategyVersionId":"ver_2","startTime":"2024-01-01T00:00:00Z","endTime":"2024-02-01T00:00:00Z",)"
            R"("subscriptions":[{"instrument":"C:BTCUSD","events":["candle_1h","trade_update"]}],)"
            R"("initialCapital":5000})");
}

TEST_F(ScenarioTest, APathOfSetThatLeadsNowhere) {
  const auto refused = [&](const std::string& change) {
    EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string(), "--set", change}), 2);
    return err.str();
  };
  EXPECT_THAT(refused("initialCapital"), HasSubstr("--set initialCapital is not PATH=VALUE"));
  EXPECT_THAT(refused("subscriptions[3].instrument=x"), HasSubstr("[3] is beyond the array's 1 entries"));
  EXPECT_THAT(refused("startTime.x=1"), HasSubstr("there is no object to hold x"));
  EXPECT_THAT(refused("subscriptions[a]=1"), HasSubstr("an index looks like [0]"));
  EXPECT_THAT(refused("initialCapital=0"), HasSubstr("initialCapital: 0 is out of range"));
  EXPECT_THAT(transport.requests, IsEmpty());
}

const char* const k_complete = R"({"id":"scen_1","state":"COMPLETE","metrics":{"sharpeRatio":0.7,"profitFactor":1.4,)"
                               R"("maxDrawdownPct":12,"totalTrades":80}})";

TEST_F(ScenarioTest, GatesDecideTheExitCode) {
  const auto wait = [&](const std::vector<std::string>& conditions) {
    transport.answer(200, k_complete);
    std::vector<std::string> args = {"scenario", "wait", "strat_1", "scen_1"};
    for (const auto& condition : conditions) args.insert(args.end(), {"--fail-if", condition});
    return run_with_key(args);
  };
  EXPECT_EQ(wait({}), 0);
  EXPECT_EQ(wait({"sharpeRatio < 0.5", "profitFactor<1.2", "maxDrawdownPct > 20%", "totalTrades < 50"}), 0);
  EXPECT_EQ(err.str(),
            "→ Scenario is COMPLETE\n"
            "✓ not sharpeRatio < 0.5: sharpeRatio is 0.70\n✓ not profitFactor<1.2: profitFactor is 1.40\n"
            "✓ not maxDrawdownPct > 20%: maxDrawdownPct is 12.00%\n✓ not totalTrades < 50: totalTrades is 80\n");
  EXPECT_EQ(wait({"sharpeRatio < 1.0"}), 22);
  EXPECT_THAT(err.str(), HasSubstr("Error: --fail-if sharpeRatio < 1.0: sharpeRatio is 0.70\n"));
  EXPECT_EQ(wait({"sharpRatio < 1.0"}), 23);
  EXPECT_THAT(err.str(), HasSubstr("the run has no sharpRatio (did you mean sharpeRatio?)\n"));
  EXPECT_EQ(wait({"sortinoRatio < 1.0", "totalTrades == 80"}), 22) << "one that holds counts more than a missing one";
  EXPECT_EQ(wait({"totalTrades >= 80"}), 22);
  EXPECT_EQ(wait({"totalTrades <= 79"}), 0);
}

TEST_F(ScenarioTest, FaultyGatesAreRefusedBeforeAnything) {
  for (const char* condition :
       {"sharpeRatio", "sharpeRatio != 1", "< 1", "a b < 1", "sharpeRatio < x", "a < nan", "a < ", "a = 1"}) {
    EXPECT_EQ(run_with_key({"scenario", "wait", "strat_1", "scen_1", "--fail-if", condition}), 2) << condition;
    EXPECT_THAT(err.str(), HasSubstr("for example --fail-if 'sharpeRatio < 1.0'")) << condition;
  }
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string(), "--fail-if", "a < 1"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--fail-if requires --wait"));
  EXPECT_THAT(transport.requests, IsEmpty());
}

TEST_F(ScenarioTest, ACancelledRunHasItsOwnCode) {
  transport.answer(200, R"({"id":"scen_1","state":"CANCELLED"})");
  EXPECT_EQ(run_with_key({"scenario", "wait", "strat_1", "scen_1"}), 21);
}

TEST_F(ScenarioTest, AStopLeavesTheRunGoing) {
  for (int i = 0; i < 2000; ++i) transport.answer(200, R"({"id":"scen_1","state":"RUNNING"})");
  // The signal is taken by a thread of its own, some time after it was raised.
  clock.on_sleep = [raised = false]() mutable {
    if (!std::exchange(raised, true)) ::raise(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  EXPECT_EQ(run_with_key({"scenario", "wait", "strat_1", "scen_1"}), 130);
  EXPECT_THAT(err.str(), HasSubstr("hint: the run goes on: `tektii scenario wait strat_1 scen_1` waits for it again"));
}

TEST_F(ScenarioTest, Cancel) {
  transport.answer(200, R"({"id":"scen_1","state":"CANCELLED"})");
  EXPECT_EQ(run_with_key({"scenario", "cancel", "strat_1", "scen_1"}), 0);
  EXPECT_EQ(transport.requests[0].method + " " + transport.requests[0].url,
            "POST https://api.test/v1/strategies/strat_1/scenarios/scen_1/cancel");
  EXPECT_THAT(err.str(), HasSubstr("✓ Scenario cancelled"));
  transport.answer(409, R"({"message":"scenario scen_1 is already COMPLETE"})");
  EXPECT_EQ(run_with_key({"scenario", "cancel", "strat_1", "scen_1"}), 1);
  EXPECT_EQ(err.str(), "Error: conflict: scenario scen_1 is already COMPLETE\n");
}

TEST_F(ScenarioTest, EveryPageOfAList) {
  transport.answer(200, R"({"scenarios":[{"id":"scen_1","state":"RUNNING"}],"nextCursor":"a"})");
  transport.answer(200, R"({"scenarios":[{"id":"scen_2","state":"RUNNING"}],"nextCursor":"b"})");
  transport.answer(200, R"({"scenarios":[{"id":"scen_3","state":"RUNNING"}],"nextCursor":null})");
  EXPECT_EQ(run_with_key({"scenario", "list", "strat_1", "--all", "--output", "json"}), 0);
  EXPECT_EQ(transport.requests[2].url, "https://api.test/v1/strategies/strat_1/scenarios?cursor=b");
  EXPECT_EQ(out.str(), R"({"scenarios":[{"id":"scen_1","state":"RUNNING"},{"id":"scen_2","state":"RUNNING"},)"
                       R"({"id":"scen_3","state":"RUNNING"}]})"
                       "\n");
  transport.answer(200, R"({"scenarios":[],"nextCursor":"a"})").answer(200, R"({"scenarios":[],"nextCursor":"a"})");
  EXPECT_EQ(run_with_key({"scenario", "list", "strat_1", "--all"}), 5);
  EXPECT_THAT(err.str(), HasSubstr("the same page of scenarios again and again"));
}

TEST_F(ScenarioTest, AFaultyConfigurationIsNotSent) {
  write_file_atomic(config, R"({"strategyVersionId":"ver_1","startTime":"2024-01-01","endTime":"x"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string()}), 2);
  EXPECT_THAT(err.str(), ::testing::StartsWith("Error: 3 faults in the scenario configuration"));
  EXPECT_THAT(transport.requests, IsEmpty());
}

TEST_F(ScenarioTest, AMissingConfigurationNamesTheFile) {
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", "nowhere.json"}), 2);
  EXPECT_THAT(err.str(), ::testing::StartsWith("Error: Configuration not found at nowhere.json\nhint: use --config"));
}

TEST_F(ScenarioTest, ADirectoryIsNoConfiguration) {
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", directory.path().string()}), 2);
  EXPECT_THAT(err.str(), HasSubstr("is a directory\nhint: use --config"));
}

TEST_F(ScenarioTest, AnUnreadableConfigurationSaysWhy) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  std::filesystem::permissions(config, std::filesystem::perms::none);
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string()}), 2);
  EXPECT_THAT(err.str(), HasSubstr("Permission denied\nhint: use --config"));
}

TEST_F(ScenarioTest, List) {
  transport.answer(200, R"({"scenarios":[{"id":"scen_1","state":"RUNNING","strategyVersionId":"ver_1"}]})");
  EXPECT_EQ(run_with_key({"scenario", "list", "strat_1"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("│ scen_1 │ RUNNING │ ver_1   │         │\n"));
}

}  // namespace
}  // namespace tektii
