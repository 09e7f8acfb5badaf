#include "cli/cli_fixture.hpp"
#include <tektii/oci/digest.hpp>

#include <gmock/gmock.h>

#include <unistd.h>

#include <filesystem>

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
  EXPECT_EQ(err.str(), "→ There are more: --cursor abc\n");
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

TEST_F(ScenarioTest, Create) {
  transport.answer(201, R"({"id":"scen_1","state":"PENDING"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string()}), 0);
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
  transport.answer(201, R"({"id":"scen_1","state":"PENDING"})").answer(200, R"({"id":"scen_1","state":"RUNNING"})");
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
  transport.answer(201, R"({"id":"scen_1","state":"FAILED","error":"out of memory"})");
  EXPECT_EQ(run_with_key({"scenario", "create", "strat_1", "--config", config.string(), "--wait"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("out of memory"));
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
