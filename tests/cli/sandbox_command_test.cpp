#include "cli/cli_fixture.hpp"
#include "cli/commands/sandbox.hpp"
#include <tektii/net/http.hpp>
#include <tektii/sandbox/sandbox.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <regex>

namespace tektii {
namespace {

using ::testing::HasSubstr;

// The commands against the local platform, over loopback: what the client sends is what a server understands.
struct SandboxCommandTest : ::testing::Test {
  int run(std::vector<std::string> args) {
    args.insert(args.end(), {"--api-url", server.url(), "--api-key", server.api_key()});
    return run_bare(args);
  }
  int run_bare(const std::vector<std::string>& args) {
    out.str("");
    err.str("");
    cli::Terminal terminal(out, err, {});
    SystemClock clock;
    cli::CommandContext context(terminal, clock, [] { return net::make_curl_transport("tektii/test"); });
    return cli::run_command_line(args, context, [&](CLI::App& root, cli::CommandContext& given) {
      cli::setup_strategy(root, given);
      cli::setup_version(root, given, builder);
      cli::setup_scenario(root, given);
      cli::setup_sandbox(root, given);
    });
  }
  // The first id with the prefix in the last result.
  std::string id(const std::string& prefix) const {
    std::smatch match;
    const std::string text = out.str();
    return std::regex_search(text, match, std::regex(prefix + "_[A-Za-z0-9]+")) ? match.str() : std::string();
  }

  static sandbox::SandboxOptions quick() {
    sandbox::SandboxOptions options;
    options.pending_time = std::chrono::milliseconds(10);
    options.running_time = std::chrono::milliseconds(10);
    return options;
  }

  sandbox::Sandbox server{quick()};
  std::shared_ptr<test::FakeBuilder> builder = std::make_shared<test::FakeBuilder>();
  std::ostringstream out;
  std::ostringstream err;
};

TEST_F(SandboxCommandTest, StrategyVersionAndScenario) {
  ASSERT_EQ(run({"strategy", "create", "--name", "Momentum"}), 0) << err.str();
  const std::string strategy = id("strat");
  ASSERT_EQ(run({"strategy", "list"}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("Momentum"));
  ASSERT_EQ(run({"version", "upload", strategy, "--template", "ma-crossover"}), 0) << err.str();
  const std::string version = id("ver");
  ASSERT_EQ(run({"version", "get", strategy, version}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("ma-crossover"));
  const TempDir directory;
  const std::string config = directory.path() / "scenario.json";
  write_file_atomic(config, R"({"strategyVersionId":")" + version +
                                R"(","startTime":"2024-01-01T00:00:00Z","endTime":"2024-02-01T00:00:00Z",)"
                                R"("subscriptions":[{"instrument":"C:BTCUSD","events":["candle_1h"]}]})");
  ASSERT_EQ(run({"scenario", "create", strategy, "--config", config, "--wait"}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("COMPLETE"));
  EXPECT_THAT(out.str(), HasSubstr("Total Return"));
  EXPECT_THAT(out.str(), HasSubstr("Simulated"));
  ASSERT_EQ(run({"scenario", "list", strategy}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("COMPLETE"));
}

TEST_F(SandboxCommandTest, AnUploadGetsARegistryAndAToken) {
  ASSERT_EQ(run({"strategy", "create", "--name", "Momentum"}), 0) << err.str();
  const std::string strategy = id("strat");
  const TempDir directory;
  write_file_atomic(directory.path() / "Dockerfile", "FROM scratch\n");
  builder->fail_build = true;
  EXPECT_EQ(run({"version", "upload", strategy, "--git-sha", "abc1234", "--context", directory.path().string()}), 3);
  EXPECT_THAT(builder->reference, ::testing::StartsWith("127.0.0.1:"));
  EXPECT_FALSE(builder->password.empty());
}

TEST_F(SandboxCommandTest, ErrorsOfARealServer) {
  EXPECT_EQ(run({"strategy", "get", "strat_nope"}), 1);
  EXPECT_EQ(err.str(), "Error: strategy strat_nope not found\n");
  EXPECT_EQ(run({"strategy", "get", "../x"}), 1);
  EXPECT_EQ(err.str(), "Error: strategy ../x not found\n");
  EXPECT_EQ(run_bare({"strategy", "list", "--api-url", server.url(), "--api-key", std::string(64, '0')}), 4);
  EXPECT_THAT(err.str(), ::testing::StartsWith("Error: Invalid API key\n"));
}

TEST_F(SandboxCommandTest, RunsACommandWithTheVariablesSet) {
  const std::string check =
      "case $TEKTII_API_URL in http://127.0.0.1:*) ;; *) exit 1;; esac; "
      "test ${#TEKTII_API_KEY} = 64 || exit 2; test \"$1\" = --output || exit 3; exit 42";
  EXPECT_EQ(run_bare({"sandbox", "--", "sh", "-c", check, "sh", "--output"}), 42) << err.str();
}

TEST_F(SandboxCommandTest, ACommandOfTheProductAfterTheDashesIsNotParsed) {
  EXPECT_EQ(run_bare({"sandbox", "--", "test", "strategy", "=", "strategy"}), 0) << err.str();
}

TEST_F(SandboxCommandTest, APortOutOfRangeIsAUsageError) {
  EXPECT_EQ(run_bare({"sandbox", "--port", "99999", "--", "true"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--port"));
}

}  // namespace
}  // namespace tektii
