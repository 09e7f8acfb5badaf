#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(BuildTest, ConfigurationOfAnImage) {
  const auto config = build(
                          "FROM scratch\nLABEL a=1 \"b c\"=\"2 3\"\nENV X=1 Y=\"two words\"\nEXPOSE 80 53/udp\n"
                          "USER app\nVOLUME /data\nSTOPSIGNAL SIGINT\nENTRYPOINT [\"/app\"]\nCMD [\"--help\"]\n")
                          .config;
  EXPECT_EQ(config.config.labels, (std::map<std::string, std::string>{{"a", "1"}, {"b c", "2 3"}}));
  EXPECT_EQ(config.config.get_env("Y"), "two words");
  EXPECT_EQ(config.config.exposed_ports, (std::set<std::string>{"53/udp", "80/tcp"}));
  EXPECT_EQ(config.config.user, "app");
  EXPECT_EQ(config.config.stop_signal, "SIGINT");
  EXPECT_EQ(config.config.entrypoint, (std::vector<std::string>{"/app"}));
  EXPECT_EQ(config.config.cmd, (std::vector<std::string>{"--help"}));
  EXPECT_EQ(config.platform.str(), "linux/amd64");
  EXPECT_EQ(config.created, "2023-11-14T22:13:20Z");
  EXPECT_EQ(config.history.size(), 8U);
}

TEST_F(BuildTest, EntrypointClearsACommandThatWasInherited) {
  const auto inherited = build("FROM scratch AS base\nCMD [\"x\"]\nFROM base\nENTRYPOINT [\"/e\"]\n").config;
  EXPECT_FALSE(inherited.config.cmd.has_value());
  const auto own = build("FROM scratch AS base\nCMD [\"x\"]\nFROM base\nCMD [\"y\"]\nENTRYPOINT [\"/e\"]\n").config;
  EXPECT_EQ(own.config.cmd, (std::vector<std::string>{"y"}));
}

TEST_F(BuildTest, ShellFormGoesThroughTheShell) {
  const auto config = build("FROM scratch\nSHELL [\"/bin/bash\", \"-ec\"]\nCMD echo $HOME\n").config;
  EXPECT_EQ(config.config.cmd, (std::vector<std::string>{"/bin/bash", "-ec", "echo $HOME"}));
}

TEST_F(BuildTest, WorkdirMakesItsParentsOnceAndNeedsNoLayerWhenItExists) {
  const auto result = build("FROM scratch\nWORKDIR /a/b\nWORKDIR c\nWORKDIR /a\nWORKDIR /\n");
  EXPECT_EQ(result.config.config.working_dir, "/");
  EXPECT_EQ(result.image.layers.size(), 2U);
  EXPECT_NE(tree_of(result).find("a/b/c"), nullptr);
  EXPECT_TRUE(result.config.history[2].empty_layer);
  EXPECT_TRUE(result.config.history[3].empty_layer);
}

TEST_F(BuildTest, GlobalArgsNameTheBase) {
  request_.build_args = {{"BASE", "two"}};
  const auto config =
      build("ARG BASE=one\nFROM scratch AS one\nLABEL l=1\nFROM scratch AS two\nLABEL l=2\nFROM ${BASE} AS final\n")
          .config;
  EXPECT_EQ(config.config.labels.at("l"), "2");
}

TEST_F(BuildTest, PlatformArgumentsMustBeDeclared) {
  const auto config = build(
                          "FROM scratch\nLABEL before=\"$TARGETARCH\"\nARG TARGETARCH\nARG TARGETPLATFORM\n"
                          "LABEL after=\"$TARGETARCH $TARGETPLATFORM\"\n")
                          .config;
  EXPECT_EQ(config.config.labels.at("before"), "");
  EXPECT_EQ(config.config.labels.at("after"), "amd64 linux/amd64");
}

TEST_F(BuildTest, TargetIsFoundWithoutCaseOrByNumber) {
  const std::string file = "FROM scratch AS First\nLABEL l=1\nFROM scratch\nLABEL l=2\n";
  request_.target = "FIRST";
  EXPECT_EQ(build(file).config.config.labels.at("l"), "1");
  request_.target = "1";
  EXPECT_EQ(build(file).config.config.labels.at("l"), "2");
  request_.target = "frist";
  const auto error = build_error(file);
  EXPECT_THAT(error.what(), HasSubstr("target stage \"frist\" could not be found"));
  EXPECT_THAT(error.hints(), Contains("did you mean first?"));
}

struct Refused {
  const char* dockerfile;
  const char* message;
  int line;
};

class RefusedTest : public BuildTest, public ::testing::WithParamInterface<Refused> {};

TEST_P(RefusedTest, SaysWhatAndWhere) {
  write("f", "x");
  const auto error = build_error(GetParam().dockerfile);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedTest,
    ::testing::Values(Refused{"FROM --platform=linux/arm64 python:3\n", "tektii builds linux/amd64 only", 1},
                      Refused{"FROM $NOTHING\n", "should not be blank", 1},
                      Refused{"FROM scratch\nCOPY --from=$X f /\n", "'--from' doesn't support variable expansion", 2},
                      Refused{"FROM scratch AS me\nCOPY --from=me f /\n", "only earlier stages", 2},
                      Refused{"FROM scratch\nCOPY --from=7 f /\n", "invalid stage index 7", 2},
                      Refused{"FROM scratch\nCOPY ../f2 /\n", "../f2 not found in the build context", 2}));

TEST_F(BuildTest, ReportsEveryProblemAtOnce) {
  const auto error = build_error("FROM scratch\nADD f /\nCOPY gone /\n");
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_THAT(error.hints(), Contains(HasSubstr("also: Dockerfile:3: gone not found")));
}

}  // namespace
}  // namespace tektii::builder
