#include "cli/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

namespace tektii {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

using CommandLineTest = test::CliFixture;

const std::string k_list = R"({"data":[]})";

TEST_F(CommandLineTest, GlobalOptionsStandBeforeOrAfterTheCommand) {
  const std::string& key = test::k_test_key;
  const std::vector<std::vector<std::string>> lines = {
      {"--api-url", "https://one.test", "--api-key", key, "--output", "json", "strategy", "list"},
      {"strategy", "--api-url=https://one.test", "--output=json", "list", "--api-key", key},
      {"strategy", "list", "--output", "json", "--api-key", key, "--api-url", "https://one.test"}};
  for (const auto& line : lines) {
    transport.answer(200, k_list);
    EXPECT_EQ(run(line), 0) << err.str();
    EXPECT_EQ(transport.requests.back().url, "https://one.test/v1/strategies");
    EXPECT_EQ(transport.requests.back().header("X-API-Key"), key);
    EXPECT_EQ(out.str(), k_list + "\n");
  }
}

TEST_F(CommandLineTest, AFlagBeatsTheEnvironmentWhichBeatsTheDefault) {
  ::setenv("TEKTII_API_KEY", std::string(64, 'b').c_str(), 1);
  transport.answer(200, k_list).answer(200, k_list).answer(200, k_list);
  EXPECT_EQ(run({"strategy", "list"}), 0);
  EXPECT_EQ(transport.requests.back().url, "https://api.tektii.com/v1/strategies");
  EXPECT_EQ(transport.requests.back().header("X-API-Key"), std::string(64, 'b'));
  ::setenv("TEKTII_API_URL", "https://env.test", 1);
  EXPECT_EQ(run({"strategy", "list"}), 0);
  EXPECT_EQ(transport.requests.back().url, "https://env.test/v1/strategies");
  EXPECT_EQ(run({"strategy", "list", "--api-url", "https://flag.test", "--api-key", test::k_test_key}), 0);
  EXPECT_EQ(transport.requests.back().url, "https://flag.test/v1/strategies");
  EXPECT_EQ(transport.requests.back().header("X-API-Key"), test::k_test_key);
}

TEST_F(CommandLineTest, WithoutAKeyNothingIsSent) {
  EXPECT_EQ(run({"strategy", "list"}), 4);
  EXPECT_EQ(err.str(), "Error: API key not found\nhint: set TEKTII_API_KEY or pass --api-key\n");
  EXPECT_THAT(out.str(), IsEmpty());
  EXPECT_THAT(transport.requests, IsEmpty());
}

TEST_F(CommandLineTest, AnEmptyKeyCountsAsMissing) {
  ::setenv("TEKTII_API_KEY", "", 1);
  EXPECT_EQ(run({"strategy", "list"}), 4);
  EXPECT_THAT(err.str(), HasSubstr("API key not found"));
}

TEST_F(CommandLineTest, PlainHttpIsWarnedAboutUnlessItIsLocal) {
  transport.answer(200, k_list).answer(200, k_list);
  EXPECT_EQ(run({"strategy", "list", "--api-key", test::k_test_key, "--api-url", "http://api.test"}), 0);
  EXPECT_THAT(err.str(), HasSubstr("Warning: the API key is sent unencrypted"));
  EXPECT_EQ(run({"strategy", "list", "--api-key", test::k_test_key, "--api-url", "http://127.0.0.1:8080"}), 0);
  EXPECT_THAT(err.str(), ::testing::Not(HasSubstr("Warning")));
}

struct UsageRow {
  std::vector<std::string> args;
  std::string text;
};

class UsageTable : public test::CliFixture, public ::testing::WithParamInterface<UsageRow> {};

TEST_P(UsageTable, IsExitCodeTwo) {
  EXPECT_EQ(run(GetParam().args), 2);
  EXPECT_EQ(err.str(), GetParam().text);
  EXPECT_THAT(out.str(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, UsageTable,
    ::testing::Values(
        UsageRow{{"stratgy", "list"},
                 "Error: unexpected command \"stratgy\"\nhint: did you mean strategy?\nhint: see `tektii --help`\n"},
        UsageRow{
            {"strategy", "crate", "--name", "x"},
            "Error: unexpected command \"crate\"\nhint: did you mean create?\nhint: see `tektii strategy --help`\n"},
        UsageRow{{"strategy", "frobnicate"},
                 "Error: unexpected command \"frobnicate\"\nhint: there are init, create, list, get\n"
                 "hint: see `tektii strategy --help`\n"},
        UsageRow{{"strategy", "create", "--nmae", "x"},
                 "Error: unexpected option \"--nmae\"\nhint: did you mean --name?\n"
                 "hint: see `tektii strategy create --help`\n"},
        UsageRow{{"strategy", "list", "--api-ky=abc"},
                 "Error: unexpected option \"--api-ky\"\nhint: did you mean --api-key?\n"
                 "hint: see `tektii strategy list --help`\n"},
        UsageRow{{"strategy", "get", "a", "b"},
                 "Error: unexpected argument \"b\"\nhint: see `tektii strategy get --help`\n"},
        UsageRow{{"strategy", "get"}, "Error: STRATEGY is required\nhint: see `tektii strategy get --help`\n"},
        UsageRow{{"strategy", "create"}, "Error: --name is required\nhint: see `tektii strategy create --help`\n"},
        UsageRow{{"strategy"}, "Error: A subcommand is required\nhint: see `tektii strategy --help`\n"},
        UsageRow{{"strategy", "list", "--output", "xml"},
                 "Error: --output: xml not in {table,json}\nhint: see `tektii strategy list --help`\n"},
        UsageRow{{"strategy", "list", "--limit", "0"},
                 "Error: --limit: Value 0 not in range 1 to 1000000\nhint: see `tektii strategy list --help`\n"},
        UsageRow{{"strategy", "create", "--name", " ", "-v"}, "Error: --name is empty\n"}));

TEST_F(CommandLineTest, HelpOfEveryLevelIsAResult) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("strategy"));
  EXPECT_THAT(out.str(), HasSubstr("TEKTII_API_KEY"));
  EXPECT_EQ(run({"version", "upload", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("--dockerfile"));
  EXPECT_THAT(out.str(), HasSubstr("--build-arg"));
  EXPECT_THAT(err.str(), IsEmpty());
}

TEST_F(CommandLineTest, HelpOfACommandNamesItsPathAndTheGlobalOptions) {
  EXPECT_EQ(run({"strategy", "list", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Usage: tektii strategy list [OPTIONS]"));
  EXPECT_THAT(out.str(), HasSubstr("\n\nGlobal options (before or after the command):\n  --api-url"));
  EXPECT_THAT(out.str(), HasSubstr("Exit codes:"));
  EXPECT_EQ(run({"strategy", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Usage: tektii strategy [OPTIONS] SUBCOMMAND"));
  EXPECT_THAT(out.str(), HasSubstr("Global options"));
  EXPECT_EQ(run({"--help"}), 0);
  const std::string help = out.str();
  EXPECT_EQ(help.find("Global options"), help.rfind("Global options"));
}

TEST_F(CommandLineTest, LogsLookLikeTheOtherMessages) {
  transport.answer(200, k_list);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_with_key({"strategy", "list"}), 0);
  spdlog::warn("odd");
  spdlog::error("bad");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "Warning: odd\nError: bad\n");
}

TEST_F(CommandLineTest, HelpNeverShowsTheKeyOfTheEnvironment) {
  ::setenv("TEKTII_API_KEY", test::k_test_key.c_str(), 1);
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out.str(), ::testing::Not(HasSubstr(test::k_test_key)));
}

TEST_F(CommandLineTest, NoArgumentsShowTheHelp) {
  EXPECT_EQ(run({}), 2);
  EXPECT_THAT(err.str(), HasSubstr("strategy"));
  EXPECT_THAT(out.str(), IsEmpty());
}

TEST_F(CommandLineTest, VersionIsAResult) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_THAT(out.str(), ::testing::MatchesRegex("tektii [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(CommandLineTest, NamesOfCommandsAreFineAsArguments) {
  transport.answer(200, R"({"id":"version"})");
  EXPECT_EQ(run_with_key({"strategy", "get", "version"}), 0) << err.str();
  EXPECT_EQ(transport.requests.back().url, "https://api.test/v1/strategies/version");
}

TEST_F(CommandLineTest, QuietLeavesResultsAndErrors) {
  transport.answer(201, R"({"id":"strat_1"})").answer(404, "");
  EXPECT_EQ(run_with_key({"-q", "strategy", "create", "--name", "x"}), 0);
  EXPECT_THAT(err.str(), IsEmpty());
  EXPECT_THAT(out.str(), HasSubstr("strat_1"));
  EXPECT_EQ(run_with_key({"strategy", "get", "strat_2", "-q"}), 1);
  EXPECT_EQ(err.str(), "Error: strategy strat_2 not found\n");
}

struct ExitRow {
  int status;
  int exit_code;
};

class ExitTable : public test::CliFixture, public ::testing::WithParamInterface<ExitRow> {};

TEST_P(ExitTable, OfAnswers) {
  for (int i = 0; i < 4; ++i) transport.answer(GetParam().status, "");
  EXPECT_EQ(run_with_key({"strategy", "list"}), GetParam().exit_code);
  EXPECT_THAT(err.str(), ::testing::StartsWith("Error: "));
}

INSTANTIATE_TEST_SUITE_P(Rows, ExitTable,
                         ::testing::Values(ExitRow{401, 4}, ExitRow{403, 4}, ExitRow{404, 1}, ExitRow{409, 1},
                                           ExitRow{422, 2}, ExitRow{429, 5}, ExitRow{500, 5}, ExitRow{302, 5}));

TEST_F(CommandLineTest, AnUnreachableServerIsExitCodeFive) {
  EXPECT_EQ(run_with_key({"strategy", "list"}), 5);
  EXPECT_EQ(err.str(), "Error: GET https://api.test/v1/strategies: connection refused\n");
}

}  // namespace
}  // namespace tektii
