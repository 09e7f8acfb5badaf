// ARG and ENV: scopes and precedence, and what of them the history shows (as BuildKit 0.34 writes it).
#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Labelled {
  const char* what;
  const char* dockerfile;  // LABEL v=... at its end
  std::map<std::string, std::string> args;
  const char* value;
};

class LabelTest : public BuildTest, public ::testing::WithParamInterface<Labelled> {
 protected:
  void SetUp() override {
    oci::ImageConfig base;
    base.config.env = {"PATH=/bin", "FROM_BASE=base"};
    images_.add("base", base, store_);
  }
};

TEST_P(LabelTest, HasTheValueOfTheVariable) {
  request_.build_args = GetParam().args;
  EXPECT_EQ(build(GetParam().dockerfile).config.config.labels["v"], GetParam().value) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Table, LabelTest,
    ::testing::Values(
        Labelled{"not before its line", "FROM scratch\nLABEL v=<$A>\nARG A=1\n", {}, "<>"},
        Labelled{"default", "FROM scratch\nARG A=1\nLABEL v=$A\n", {}, "1"},
        Labelled{"given", "FROM scratch\nARG A=1\nLABEL v=$A\n", {{"A", "2"}}, "2"},
        Labelled{"given but not declared", "FROM scratch\nLABEL v=<$A>\n", {{"A", "2"}}, "<>"},
        Labelled{"global is not seen in a stage", "ARG A=1\nFROM scratch\nLABEL v=<$A>\n", {}, "<>"},
        Labelled{"global declared again", "ARG A=1\nFROM scratch\nARG A\nLABEL v=$A\n", {}, "1"},
        Labelled{"default beats global", "ARG A=1\nFROM scratch\nARG A=2\nLABEL v=$A\n", {}, "2"},
        Labelled{"given beats both", "ARG A=1\nFROM scratch\nARG A=2\nLABEL v=$A\n", {{"A", "3"}}, "3"},
        Labelled{"global default refers to another", "ARG A=1\nARG B=x$A\nFROM scratch\nARG B\nLABEL v=$B\n", {}, "x1"},
        Labelled{"several in a line see each other", "FROM scratch\nARG A=1 B=${A}2\nLABEL v=$B\n", {}, "12"},
        Labelled{"env in a line do not", "FROM scratch\nENV A=1\nENV A=2 B=$A\nLABEL v=$B\n", {}, "1"},
        Labelled{"env beats earlier arg", "FROM scratch\nARG A=1\nENV A=2\nLABEL v=$A\n", {{"A", "3"}}, "2"},
        Labelled{"arg beats earlier env", "FROM scratch\nENV A=1\nARG A=2\nLABEL v=$A\n", {}, "2"},
        Labelled{"arg without value keeps the env", "FROM scratch\nENV A=1\nARG A\nLABEL v=$A\n", {}, "1"},
        Labelled{"arg beats the base's env", "FROM base\nARG FROM_BASE=mine\nLABEL v=$FROM_BASE\n", {}, "mine"},
        Labelled{"the base's env", "FROM base\nLABEL v=$FROM_BASE\n", {}, "base"},
        Labelled{"stage inherits args", "FROM scratch AS a\nARG A=1\nFROM a\nLABEL v=$A\n", {}, "1"},
        Labelled{"inherited env beats a later inherited arg",
                 "FROM scratch AS a\nENV A=1\nARG A=2\nFROM a\nLABEL v=$A\n",
                 {},
                 "1"},
        Labelled{"other stages do not", "FROM scratch AS a\nARG A=1\nFROM scratch\nLABEL v=<$A>\n", {}, "<>"},
        Labelled{"default that is overridden is not expanded",
                 "FROM scratch\nARG A=${B:?no}\nLABEL v=$A\n",
                 {{"A", "1"}},
                 "1"},
        Labelled{"proxy is no variable", "FROM scratch\nLABEL v=<$HTTP_PROXY>\n", {{"HTTP_PROXY", "p"}}, "<>"},
        Labelled{"platform args",
                 "FROM scratch\nARG TARGETPLATFORM\nARG BUILDOS\nARG TARGETOSVERSION\nLABEL "
                 "v=$TARGETPLATFORM,$BUILDOS,$TARGETOSVERSION\n",
                 {},
                 "linux/amd64,linux,"},
        Labelled{"platform arg is overridden",
                 "FROM scratch\nARG TARGETARCH\nLABEL v=$TARGETARCH\n",
                 {{"TARGETARCH", "mine"}},
                 "mine"},
        Labelled{"platform arg with a default", "FROM scratch\nARG TARGETARCH=x\nLABEL v=$TARGETARCH\n", {}, "x"},
        Labelled{"platform arg names the base", "FROM scratch AS amd64\nLABEL v=1\nFROM $TARGETARCH\n", {}, "1"},
        Labelled{"unnamed target", "FROM scratch\nARG TARGETSTAGE\nLABEL v=$TARGETSTAGE\n", {}, "default"},
        Labelled{"named target", "FROM scratch AS Final\nARG TARGETSTAGE\nLABEL v=$TARGETSTAGE\n", {}, "final"},
        Labelled{"sbom args are no variables",
                 "FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nLABEL v=<$BUILDKIT_SBOM_SCAN_STAGE>\n",
                 {},
                 "<>"},
        Labelled{"epoch from the global scope",
                 "ARG SOURCE_DATE_EPOCH=5\nFROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL "
                 "v=$SOURCE_DATE_EPOCH\n",
                 {},
                 "5"},
        Labelled{"epoch that is a name",
                 "ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL "
                 "v=$SOURCE_DATE_EPOCH\n",
                 {},
                 "1700000000"}));

struct History {
  const char* what;
  const char* dockerfile;
  std::map<std::string, std::string> args;
  std::vector<std::string> history;
};

class HistoryTest : public RunTest, public ::testing::WithParamInterface<History> {};

TEST_P(HistoryTest, IsWhatBuildKitWrites) {
  executor_.command = [](const auto& rootfs, const auto& spec, auto&) {
    write_file_atomic(rootfs.upper_dir / spec.argv.back(), "x");
    return exec::ExitStatus{};
  };
  request_.build_args = GetParam().args;
  EXPECT_THAT(history_of(build(GetParam().dockerfile)), ElementsAreArray(GetParam().history)) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Table, HistoryTest,
    ::testing::Values(
        History{"every ARG so far, in order, also unset ones and those that ENV overrides",
                "ARG G=1\nARG H\nFROM scratch AS b\nARG G\nARG H\nARG U\nARG D=${G}x E=$D\nENV D=env\nRUN x\nARG "
                "D=again\nRUN y\nFROM b\nARG D\nARG TARGETARCH\nARG TARGETSTAGE\nRUN z\n",
                {{"H", "given"}},
                {"ARG G=1 | empty", "ARG H=given | empty", "ARG U | empty", "ARG D=1x E=1x | empty",
                 "ENV D=env | empty", "RUN |5 G=1 H=given U= D=env E=1x /bin/sh -c x # buildkit", "ARG D=again | empty",
                 "RUN |5 G=1 H=given U= D=again E=1x /bin/sh -c y # buildkit", "ARG D | empty",
                 "ARG TARGETARCH=amd64 | empty", "ARG TARGETSTAGE=default | empty",
                 // The environment of a base is set anew, so that it beats the ARG that came after the ENV there.
                 "RUN |7 G=1 H=given U= D=env E=1x TARGETARCH=amd64 TARGETSTAGE=default /bin/sh -c z # buildkit"}},
        History{"a proxy only where it is declared",
                "FROM scratch\nARG http_proxy\nRUN x\n",
                {{"http_proxy", "p"}, {"HTTPS_PROXY", "q"}},
                {"ARG http_proxy=p | empty", "RUN |1 http_proxy=p /bin/sh -c x # buildkit"}},
        History{"sbom args",
                "FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nRUN x\n",
                {},
                {"ARG BUILDKIT_SBOM_SCAN_STAGE=true | empty",
                 "RUN |1 BUILDKIT_SBOM_SCAN_STAGE=true /bin/sh -c x # buildkit"}}));

TEST_F(BuildTest, ArgumentsOfTheBuilderNeedNoArg) {
  for (const char* name :
       {"BUILDKIT_INLINE_CACHE", "BUILDKIT_SANDBOX_HOSTNAME", "BUILDKIT_CACHE_MOUNT_NS",
        "BUILDKIT_CONTEXT_KEEP_GIT_DIR", "BUILDKIT_GIT_ADVICE", "SOURCE_DATE_EPOCH", "all_proxy", "TARGETSTAGE"}) {
    request_.build_args = {{name, "1"}};
    EXPECT_THAT(build("FROM scratch\n").warnings, IsEmpty()) << name;
  }
  request_.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", "skip=all"}};
  EXPECT_THAT(build("FROM scratch\n").warnings, IsEmpty());
}

TEST_F(BuildTest, WhatBuildKitWouldDoAndWeDoNotIsSaid) {
  for (const char* name :
       {"BUILDKIT_MULTI_PLATFORM", "BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE", "BUILDKIT_SYNTAX"}) {
    for (const char* text : {"FROM scratch\n", "FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE\n"}) {
      request_.build_args = {{name, "1"}};
      EXPECT_THAT(build(text).warnings,
                  ElementsAre(HasSubstr(std::string("--build-arg ") + name + " has no effect: ")));
    }
    for (const char* off : {"0", "false", "False", ""}) {
      request_.build_args = {{name, off}};
      EXPECT_THAT(build("FROM scratch\n").warnings, IsEmpty()) << name << "=" << off;
    }
  }
}

TEST_F(RunTest, CommandsSeeTheHostNameThatIsAskedFor) {
  build("FROM scratch\nRUN x\n");
  request_.build_args = {{"BUILDKIT_SANDBOX_HOSTNAME", "builder"}};
  build("FROM scratch\nRUN x\n");
  ASSERT_EQ(executor_.specs.size(), 2U);
  EXPECT_EQ(executor_.specs[0].host_name, "buildkitsandbox");
  EXPECT_EQ(executor_.specs[1].host_name, "builder");
}

TEST_F(RunTest, ProxiesReachCommandsInBothSpellings) {
  request_.build_args = {{"Http_Proxy", "one"}, {"HTTPS_PROXY", "upper"}, {"https_proxy", "lower"}, {"no_proxy", ""}};
  build("FROM scratch\nRUN x\n");
  const auto& env = executor_.specs.at(0).env;
  EXPECT_THAT(env,
              ::testing::IsSupersetOf({"HTTP_PROXY=one", "http_proxy=one", "HTTPS_PROXY=lower", "https_proxy=lower"}));
  EXPECT_THAT(env, Not(Contains(HasSubstr("o_proxy="))));
}

TEST_F(BuildTest, MissingFileIsNotBlamedOnADefaultThatTheBaseMayOverride) {
  oci::ImageConfig base;
  base.config.env = {"DIR=real"};
  images_.add("base", base, store_);
  write("real", "x");
  EXPECT_NE(tree_of(build("FROM base\nCOPY ${DIR:-guess} /x\n")).find("x"), nullptr);
}

TEST_F(BuildTest, ArgumentThatMustBeSetIsMissedBeforeAnythingIsOpened) {
  const auto error = build_error("ARG A=1\nFROM base\nARG A\nARG B=${A:?}\nCOPY ${A:+gone} /\n");
  EXPECT_THAT(error.what(), HasSubstr("gone not found"));
  EXPECT_THAT(opened_, IsEmpty());
}

TEST_F(BuildTest, EpochArgumentComesFromAnOptionOrTheGlobalScope) {
  request_.dockerfile_text = "ARG T=7\nARG SOURCE_DATE_EPOCH=$T\nFROM scratch\n";
  EXPECT_EQ(source_date_epoch_argument(request_), "7");
  request_.build_args = {{"SOURCE_DATE_EPOCH", "context"}};
  EXPECT_EQ(source_date_epoch_argument(request_), "context");
  request_.build_args.clear();
  request_.dockerfile_text = "FROM scratch\nARG SOURCE_DATE_EPOCH=5\n";
  EXPECT_EQ(source_date_epoch_argument(request_), std::nullopt);
}

}  // namespace
}  // namespace tektii::builder
