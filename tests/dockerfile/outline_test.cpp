#include <tektii/dockerfile/outline.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Outline outline_of(const std::string& text, const std::string& target = {},
                   std::map<std::string, std::string> build_args = {}) {
  OutlineInput input;
  input.build_args = std::move(build_args);
  input.platform_args = {{"TARGETARCH", "amd64"}, {"BUILDPLATFORM", "linux/amd64"}};
  input.target = target;
  return outline(parse_dockerfile(text, "Dockerfile"), input);
}

std::vector<std::string> args_of(const Outline& outline) {
  std::vector<std::string> args;
  for (const auto& arg : outline.args) {
    args.push_back(fmt::format("{} {}={} {}", arg.lines.first, arg.name, arg.value, arg.description));
  }
  return args;
}

std::vector<std::string> mounts_of(const std::vector<OutlineMount>& mounts) {
  std::vector<std::string> result;
  for (const auto& mount : mounts) {
    result.push_back(fmt::format("{} {}{}", mount.lines.first, mount.name, mount.required ? "!" : ""));
  }
  return result;
}

TEST(OutlineTest, TargetAndItsDescription) {
  const std::string file = "# base builds it\nFROM scratch AS base\n# App is it\n# app runs it\nFROM base AS App\n";
  EXPECT_EQ(outline_of(file).name, "app");
  EXPECT_EQ(outline_of(file).description, "runs it");
  EXPECT_EQ(outline_of(file, "base").description, "builds it");
  EXPECT_EQ(outline_of("# it\nFROM scratch\n").description, "");
}

TEST(OutlineTest, ArgsOfTheStageAndOfItsFrom) {
  EXPECT_THAT(args_of(outline_of(
                  "# TAG is shipped\nARG TAG=1\nARG UNUSED=2\nFROM alpine:$TAG\nARG B\n# C is third\nARG C=3\n")),
              ElementsAre("2 TAG=1 is shipped", "5 B= ", "7 C=3 is third"));
}

TEST(OutlineTest, ArgsThatOthersNeed) {
  EXPECT_THAT(args_of(outline_of("ARG A=1\nARG B=$A\nARG C=$B\nFROM alpine:$C\n")),
              ElementsAre("1 A=1 ", "2 B=1 ", "3 C=1 "));
}

TEST(OutlineTest, GlobalArgDeclaredAgainIsTheGlobalOne) {
  EXPECT_THAT(args_of(outline_of("# A is global\nARG A=1\nFROM scratch\nARG A\n")), ElementsAre("2 A=1 is global"));
  EXPECT_THAT(args_of(outline_of("# A is global\nARG A=1\nFROM scratch\nARG A=2\n")), ElementsAre("4 A=2 "));
}

TEST(OutlineTest, PlatformArgsAreNoneOfTheirs) {
  EXPECT_THAT(args_of(outline_of("FROM --platform=$BUILDPLATFORM scratch\nARG TARGETARCH\n")), IsEmpty());
}

TEST(OutlineTest, BuildArgumentsShow) {
  EXPECT_THAT(args_of(outline_of("ARG A=1\nFROM alpine:$A\nARG B=$A\n", "", {{"A", "x"}, {"B", "y"}})),
              ElementsAre("1 A=x ", "3 B=y "));
}

TEST(OutlineTest, ArgsOfReachedStagesOnly) {
  const std::string file =
      "FROM scratch AS a\nARG A=1\nFROM scratch AS b\nARG B=2\nFROM a AS c\nARG C=3\nFROM c\nCOPY --from=c /x /x\n";
  EXPECT_THAT(args_of(outline_of(file)), ElementsAre("2 A=1 ", "6 C=3 "));
  EXPECT_THAT(args_of(outline_of(file, "b")), ElementsAre("4 B=2 "));
}

TEST(OutlineTest, Mounts) {
  const auto outline = outline_of(
      "FROM alpine\nARG ID=tok\n"
      "RUN --mount=type=secret,id=$ID,required --mount=type=secret,target=/run/x/y true\n"
      "RUN --mount=type=ssh --mount=type=ssh,id=other,required=true true\n"
      "RUN --mount=type=cache,target=/c/ --mount=type=cache,id=named,target=/d --mount=type=secret,id=tok true\n"
      "RUN --mount=type=tmpfs,target=/t --mount=type=bind,target=/b true\n");
  EXPECT_THAT(mounts_of(outline.secrets), ElementsAre("3 tok!", "3 y"));
  EXPECT_THAT(mounts_of(outline.ssh), ElementsAre("4 default", "4 other!"));
  EXPECT_THAT(mounts_of(outline.caches), ElementsAre("5 /c", "5 named"));
}

TEST(OutlineTest, MountsOfOtherStagesAndTriggers) {
  const auto outline = outline_of(
      "FROM scratch AS tools\nRUN --mount=type=ssh true\n"
      "FROM scratch AS base\nONBUILD RUN --mount=type=secret,id=s true\n"
      "FROM base\nRUN --mount=from=tools,target=/t true\n");
  EXPECT_THAT(mounts_of(outline.ssh), ElementsAre("2 default"));
  EXPECT_THAT(mounts_of(outline.secrets), ElementsAre("5 s"));
}

TEST(OutlineTest, Errors) {
  EXPECT_THROW(outline_of("FROM scratch\n", "nope"), Error);
  EXPECT_THROW(outline_of("FROM ${A:?is needed}\n"), Error);
}

TEST(TargetsTest, Stages) {
  const auto targets = list_targets(parse_dockerfile(
      "ARG V=1\n# build compiles it\nFROM --platform=$BUILDPLATFORM golang:$V AS build\nFROM scratch\n", "Dockerfile"));
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].name, "build");
  EXPECT_EQ(targets[0].description, "compiles it");
  EXPECT_EQ(targets[0].base, "golang:$V");
  EXPECT_EQ(targets[0].platform, "$BUILDPLATFORM");
  EXPECT_FALSE(targets[0].is_default);
  EXPECT_EQ(targets[0].lines.first, 3);
  EXPECT_EQ(targets[1].name, "");
  EXPECT_TRUE(targets[1].is_default);
}

TEST(OutlineTest, AChainOfManyStagesNeedsNoStack) {
  constexpr int k_stages = 20'000;
  std::string file = "FROM scratch AS s0\nARG A=1\n";
  for (int i = 1; i < k_stages; ++i) file += fmt::format("FROM s{} AS s{}\n", i - 1, i);
  EXPECT_THAT(args_of(outline_of(file)), ElementsAre("2 A=1 "));
}

}  // namespace
}  // namespace tektii::dockerfile
