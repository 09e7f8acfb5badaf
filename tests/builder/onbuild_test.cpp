#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class OnbuildTest : public BuildTest {
 protected:
  void add_base(const std::string& name, std::vector<std::string> triggers,
                const std::map<std::string, std::string>& files = {}) {
    oci::ImageConfig config;
    config.config.on_build = std::move(triggers);
    config.config.env = {"PATH=/bin", "APP=/srv/app"};
    config.config.working_dir = "/srv";
    images_.add(name, config, store_, files);
  }
};

TEST_F(OnbuildTest, IsStoredAsItIsWritten) {
  const auto result = build("FROM scratch\nONBUILD RUN a \\\n  b\nonbuild  ENV x=y\nONBUILD copy <<E /x\nhi\nE\n");
  EXPECT_THAT(result.config.config.on_build, ElementsAre("RUN a   b", "ENV x=y", "copy <<E /x\nhi\nE"));
  EXPECT_THAT(result.config.history, IsEmpty());
}

TEST_F(OnbuildTest, TriggersOfAnImageRunFirstAndAreGoneThen) {
  write("main.py", "x");
  add_base("base", {"COPY main.py $APP/", "LABEL trigger=$APP", "WORKDIR app"});
  const auto result = build("FROM base\nLABEL own=1\n");
  EXPECT_THAT(history_of(result), ElementsAre("COPY main.py /srv/app/ # buildkit", "LABEL trigger=/srv/app | empty",
                                              "WORKDIR /srv/app | empty", "LABEL own=1 | empty"));
  EXPECT_NE(tree_of(result).find("srv/app/main.py"), nullptr);
  EXPECT_THAT(result.config.config.on_build, IsEmpty());
  EXPECT_EQ(progress_.outcomes.at("[stage-0 1/2] ONBUILD COPY main.py $APP/"), StepOutcome::done);
}

TEST_F(OnbuildTest, TriggersOfAStageRunInItsChildrenButNotInTheirs) {
  const auto result = build(
      "FROM scratch AS base\nONBUILD LABEL from=base\nLABEL own=base\nFROM base AS child\nONBUILD LABEL from=child\n"
      "LABEL own=child\nFROM child\nLABEL own=last\n");
  EXPECT_THAT(history_of(result),
              ElementsAre("LABEL own=base | empty", "LABEL from=base | empty", "LABEL own=child | empty",
                          "LABEL from=child | empty", "LABEL own=last | empty"));
  EXPECT_THAT(result.config.config.on_build, IsEmpty());
  request_.target = "child";
  EXPECT_THAT(build("FROM scratch AS base\nONBUILD LABEL from=base\nFROM base AS child\nONBUILD LABEL from=child\n"
                    "FROM child\n")
                  .config.config.on_build,
              ElementsAre("LABEL from=child"));
}

TEST_F(OnbuildTest, CmdOfATriggerBelongsToTheStage) {
  add_base("base", {"CMD [\"trigger\"]"});
  EXPECT_EQ(build("FROM base\nENTRYPOINT [\"/e\"]\n").config.config.cmd, (std::vector<std::string>{"trigger"}));
}

class OnbuildRunTest : public OnbuildTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers with their owners needs root";
  }
};

TEST_F(OnbuildRunTest, TriggersReachStagesAndImages) {
  add_base("base",
           {"COPY --from=tools /t /from-stage", "COPY --from=assets /a /from-image", "RUN --network=none chained"});
  add_base("assets", {"RUN never"}, {{"a", "asset"}});
  add_base("deeper", {"LABEL deep=1"}, {{"t", "tool"}});
  const auto result = build("FROM deeper AS tools\nLABEL x=1\nFROM unused AS other\nFROM base\n");
  const auto tree = tree_of(result);
  EXPECT_NE(tree.find("from-stage"), nullptr);
  EXPECT_NE(tree.find("from-image"), nullptr);
  EXPECT_EQ(tree.find("never"), nullptr);
  EXPECT_THAT(opened_, UnorderedElementsAre("base", "deeper", "assets"));
  ASSERT_EQ(executor_.specs.size(), 1U);
  EXPECT_EQ(executor_.specs[0].argv.back(), "chained");
}

struct Broken {
  const char* trigger;
  const char* message;
};

class BrokenTriggerTest : public OnbuildTest, public ::testing::WithParamInterface<Broken> {};

TEST_P(BrokenTriggerTest, IsBlamedOnTheBaseBeforeAnyStep) {
  add_base("base", {"WORKDIR /ok", GetParam().trigger});
  const auto error = build_error("ARG X=base\nFROM $X\nWORKDIR /own\n");
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_THAT(error.what(), HasSubstr("of base"));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->file, "Dockerfile");
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_THAT(progress_.titles, ElementsAre("[internal] look up base"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenTriggerTest,
    ::testing::Values(Broken{"COPY gone /", "ONBUILD COPY gone / of base: gone not found in the build context"},
                      Broken{"COPY ${APP:+gone} /", "gone not found in the build context"},
                      Broken{"FOO bar", "ONBUILD FOO bar of base: unknown instruction: FOO"},
                      Broken{"FROM x", "isn't allowed as an ONBUILD trigger"},
                      Broken{"COPY --from=9 a /", "invalid stage index 9"}, Broken{"", "must be one instruction"}));

TEST_F(OnbuildTest, FailureOfAStepOfATriggerNamesTheBase) {
  write("f", "x");
  add_base("base", {"COPY --chown=nobody-here f /"});
  const auto error = build_error("FROM base\n");
  EXPECT_THAT(error.what(), HasSubstr("ONBUILD COPY --chown=nobody-here f / of base: unable to find user"));
  EXPECT_EQ(error.span()->first_line, 1);
}

TEST_F(OnbuildTest, EveryBrokenTriggerIsReportedAtOnce) {
  add_base("one", {"COPY gone1 /"});
  add_base("two", {"COPY gone2 /", "COPY gone3 /"});
  const auto error = build_error("FROM one AS a\nFROM two AS b\nFROM scratch\nCOPY --from=a x /\nCOPY --from=b x /\n");
  EXPECT_THAT(error.hints(), Contains(HasSubstr("also: Dockerfile:2: ONBUILD COPY gone2 / of two")));
  EXPECT_THAT(error.hints(), Contains(HasSubstr("also: Dockerfile:2: ONBUILD COPY gone3 / of two")));
}

TEST_F(OnbuildTest, TriggersOfAStageAreCheckedBeforeAnythingIsOpened) {
  const auto error = build_error("FROM base AS a\nONBUILD COPY gone /\nFROM a\n");
  EXPECT_THAT(error.what(), HasSubstr("gone not found"));
  EXPECT_THAT(opened_, IsEmpty());
}

TEST_F(OnbuildTest, CheckOfABuildSeesTriggers) {
  add_base("base", {"COPY gone /"});
  request_.dockerfile_text = "FROM base\n";
  EXPECT_THROW(check_build(request_, deps(), {}), Error);
}

TEST_F(OnbuildTest, ImageThatOnlyIsCopiedFromKeepsItsTriggersToItself) {
  add_base("base", {"FOO"});
  request_.named_contexts["stage"] = {NamedContext::Kind::image, {}, "base"};
  EXPECT_THAT(build("FROM scratch AS stage\n").config.config.on_build, IsEmpty());
}

}  // namespace
}  // namespace tektii::builder
