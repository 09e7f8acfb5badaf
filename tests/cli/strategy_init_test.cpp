#include "cli/cli_fixture.hpp"
#include "cli/strategy_templates.hpp"
#include <tektii/api/scenario_config.hpp>

#include <gmock/gmock.h>

#include <filesystem>

namespace tektii::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

struct StrategyInitTest : test::CliFixture {
  std::vector<std::string> names(const std::filesystem::path& path) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path)) found.push_back(entry.path().filename());
    return found;
  }
  TempDir directory;
  std::string target = (directory.path() / "mine").string();
};

TEST(StrategyTemplates, AreThoseOfTheDocumentation) {
  std::vector<std::string> names;
  for (const auto& one : strategy_templates()) names.push_back(one.name);
  EXPECT_THAT(names, ElementsAre("ma-crossover", "rsi-momentum"));
  EXPECT_THAT(common_template_file("Dockerfile"),
              ::testing::StartsWith("FROM --platform=linux/amd64 python:3.12-slim\n"));
}

TEST(StrategyTemplates, TheScenarioPassesItsChecks) {
  EXPECT_TRUE(api::check_scenario_config(common_template_file("scenario.json"), "scenario.json").empty());
}

TEST_F(StrategyInitTest, WritesWhatAStrategyNeeds) {
  EXPECT_EQ(run({"strategy", "init", "rsi-momentum", target}), 0) << err.str();
  EXPECT_THAT(names(target), UnorderedElementsAre(".dockerignore", "Dockerfile", "pyproject.toml", "scenario.json",
                                                  "strategy.py", "test_strategy.py"));
  EXPECT_THAT(read_file(target + "/pyproject.toml"), HasSubstr("name = \"rsi-momentum\""));
  EXPECT_THAT(err.str(), HasSubstr("tektii version upload STRATEGY --context " + target));
  EXPECT_TRUE(transport.requests.empty());
}

TEST_F(StrategyInitTest, ADirectoryWithFilesIsLeftAlone) {
  make_directories(target);
  write_file_atomic(target + "/strategy.py", "mine");
  write_file_atomic(target + "/other", "mine");
  EXPECT_EQ(run({"strategy", "init", "ma-crossover", target}), 2);
  EXPECT_THAT(err.str(), HasSubstr("is not empty\nhint: --force"));
  EXPECT_EQ(read_file(target + "/strategy.py"), "mine");
  EXPECT_EQ(run({"strategy", "init", "ma-crossover", target, "--force"}), 0);
  EXPECT_NE(read_file(target + "/strategy.py"), "mine");
  EXPECT_EQ(read_file(target + "/other"), "mine");
  EXPECT_EQ(run({"strategy", "init", "ma-crossover", target + "/other"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("is not a directory"));
}

TEST_F(StrategyInitTest, NamesAreListedAndGuessed) {
  EXPECT_EQ(run({"strategy", "init"}), 0);
  EXPECT_EQ(out.str(), "ma-crossover\nrsi-momentum\n");
  EXPECT_EQ(run({"strategy", "init", "ma-crosover"}), 2);
  EXPECT_EQ(err.str(),
            "Error: there is no template \"ma-crosover\"\nhint: did you mean ma-crossover?\n"
            "hint: there are ma-crossover, rsi-momentum\n");
}

TEST_F(StrategyInitTest, ScenarioFile) {
  const std::string file = (directory.path() / "s.json").string();
  EXPECT_EQ(run({"scenario", "init", file}), 0);
  EXPECT_EQ(read_file(file), common_template_file("scenario.json"));
  EXPECT_EQ(run({"scenario", "init", file}), 2);
  EXPECT_THAT(err.str(), HasSubstr("is there already\nhint: --force"));
  EXPECT_EQ(run({"scenario", "init", file, "--force"}), 0);
}

}  // namespace
}  // namespace tektii::cli
