// What each instruction leaves in the configuration and its history; the texts are those that BuildKit 0.34 writes.
#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* k_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Written {
  const char* instructions;
  std::vector<std::string> history;
};

class WrittenTest : public BuildTest, public ::testing::WithParamInterface<Written> {};

TEST_P(WrittenTest, IsWhatBuildKitWrites) {
  const auto result = build(std::string("FROM scratch\n") + GetParam().instructions);
  EXPECT_THAT(history_of(result), ElementsAreArray(GetParam().history));
  for (const auto& entry : result.config.history) EXPECT_EQ(entry.comment, "buildkit.dockerfile.v0");
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrittenTest,
    ::testing::Values(
        Written{"ENV a b c\nENV X=1 Y=\"two words\" Z='$X'\n",
                {"ENV a=b c | empty", "ENV X=1 Y=two words Z=$X | empty"}},
        Written{"LABEL a=\"b c\" 'd'=e\nLABEL f g h\n", {"LABEL a=b c d=e | empty", "LABEL f=g h | empty"}},
        Written{"MAINTAINER me <a@b>\n", {"MAINTAINER me <a@b> | empty"}},
        Written{"ENV U=app\nUSER $U:staff\n", {"ENV U=app | empty", "USER app:staff | empty"}},
        Written{"ENV P=\"90 80\"\nEXPOSE 8080/UDP 80 80 9000-9002 $P\n",
                {"ENV P=90 80 | empty",
                 "EXPOSE [90/tcp 80/tcp 80/tcp 80/tcp 8080/udp 9000/tcp 9001/tcp 9002/tcp] | empty"}},
        Written{"VOLUME /b /a\nVOLUME [\"/c d\"]\n", {"VOLUME [/b /a] | empty", "VOLUME [/c d] | empty"}},
        Written{"ENV S=KILL\nSTOPSIGNAL SIG$S\n", {"ENV S=KILL | empty", "STOPSIGNAL SIGKILL | empty"}},
        Written{"SHELL [\"/bin/x\",\"-c\"]\nCMD hi\nENTRYPOINT a b\n",
                {"SHELL [/bin/x -c] | empty", "CMD [\"/bin/x\" \"-c\" \"hi\"] | empty",
                 "ENTRYPOINT [\"/bin/x\" \"-c\" \"a b\"] | empty"}},
        Written{"ENTRYPOINT []\nCMD []\n", {"ENTRYPOINT [] | empty", "CMD [] | empty"}},
        Written{"WORKDIR rel\nWORKDIR ../x/\nWORKDIR $NOPE\nWORKDIR /\n",
                {"WORKDIR /rel", "WORKDIR /x", "WORKDIR /x | empty", "WORKDIR / | empty"}},
        Written{"HEALTHCHECK --interval=30s --retries=3 CMD echo hi \"q\"\nHEALTHCHECK NONE\n"
                "HEALTHCHECK CMD [\"a\",\"b c\"]\n",
                {"HEALTHCHECK {Test:[CMD-SHELL echo hi \"q\"] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s "
                 "Retries:3} | empty",
                 "HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0} | empty",
                 "HEALTHCHECK {Test:[CMD a b c] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0} | "
                 "empty"}},
        Written{"ONBUILD RUN x\n", {}}));

TEST_F(BuildTest, ImageFromNothing) {
  const auto config = build("FROM scratch\n").config;
  EXPECT_EQ(config.config.working_dir, "/");
  EXPECT_THAT(config.config.env, ElementsAre(k_path));
  EXPECT_FALSE(config.config.cmd);
}

TEST_F(BuildTest, ImageFromAnother) {
  oci::ImageConfig base;
  base.author = "somebody";
  base.unknown = {{"docker_version", "\"1\""}, {"os.version", "\"10\""}};
  base.config.unknown = {{"Hostname", "\"abc\""}, {"ArgsEscaped", "true"}};
  base.config.env = {"X=1"};
  base.config.user = "u";
  base.config.working_dir = "srv/";
  base.config.shell = {"/bin/bash", "-c"};
  base.config.healthcheck = oci::Healthcheck{{"CMD", "x"}, 5};
  base.config.volumes = {"/data"};
  base.config.stop_signal = "SIGINT";
  images_.add("base", base, store_);
  const auto config = build("FROM base\nCMD x\n").config;
  EXPECT_EQ(config.author, "somebody");
  EXPECT_THAT(config.config.env, ElementsAre("X=1", k_path));
  EXPECT_EQ(config.config.user, "u");
  EXPECT_EQ(config.config.working_dir, "/srv");
  EXPECT_EQ(config.config.cmd, (std::vector<std::string>{"/bin/bash", "-c", "x"}));
  EXPECT_EQ(config.config.healthcheck, base.config.healthcheck);
  EXPECT_EQ(config.config.volumes, base.config.volumes);
  EXPECT_EQ(config.config.stop_signal, "SIGINT");
  // How the base was made is not handed down.
  EXPECT_THAT(config.unknown, ElementsAre(Pair("os.version", "\"10\"")));
  EXPECT_THAT(config.config.unknown, ElementsAre(Pair("ArgsEscaped", "true")));
}

TEST_F(BuildTest, HealthcheckOfABaseIsReplacedAsAWhole) {
  const auto config =
      build("FROM scratch AS a\nHEALTHCHECK --interval=5s --retries=2 CMD x\nFROM a\nHEALTHCHECK --timeout=1m CMD y\n")
          .config;
  const oci::Healthcheck expected{{"CMD-SHELL", "y"}, 0, 60'000'000'000};
  EXPECT_EQ(config.config.healthcheck, expected);
}

TEST_F(BuildTest, EmptyCommandsAreNone) {
  const auto json = build("FROM scratch\nENTRYPOINT [\"/x\"]\nCMD [\"y\"]\nENTRYPOINT []\nCMD []\n").image.config_bytes;
  EXPECT_THAT(json, ::testing::Not(HasSubstr("Entrypoint")));
  EXPECT_THAT(json, ::testing::Not(HasSubstr("\"Cmd\"")));
}

TEST_F(BuildTest, LabelsOfTheCommandLineComeLastAndLeaveNoHistory) {
  request_.labels = {{"a", "9"}, {"z", "1"}};
  const auto result = build("FROM scratch AS base\nFROM base\nLABEL a=1 b=2\n");
  EXPECT_THAT(result.config.config.labels, ElementsAre(Pair("a", "9"), Pair("b", "2"), Pair("z", "1")));
  EXPECT_EQ(result.config.history.size(), 1U);
}

struct DirectoryOwner {
  const char* user;
  std::uint32_t uid;
  std::uint32_t gid;
};

class WorkdirOwnerTest : public BuildTest, public ::testing::WithParamInterface<DirectoryOwner> {};

// As solver/llbsolver/ops/user_linux.go: a number is both ids, an unknown name is root.
TEST_P(WorkdirOwnerTest, IsTheUserWhoIsSet) {
  write("etc/passwd", "app:x:1234:2345::/home/app:/bin/sh\n");
  write("etc/group", "staff:x:50:\n");
  const auto tree =
      tree_of(build(std::string("FROM scratch\nCOPY etc /etc\nUSER ") + GetParam().user + "\nWORKDIR /srv/deep\n"));
  for (const char* path : {"srv", "srv/deep"}) {
    ASSERT_NE(tree.find(path), nullptr);
    EXPECT_EQ(tree.find(path)->metadata.uid, GetParam().uid);
    EXPECT_EQ(tree.find(path)->metadata.gid, GetParam().gid);
    EXPECT_EQ(tree.find(path)->metadata.mode, 0755U);
  }
  EXPECT_EQ(tree.find("etc")->metadata.uid, 0U);
}

INSTANTIATE_TEST_SUITE_P(Table, WorkdirOwnerTest,
                         ::testing::Values(DirectoryOwner{"app", 1234, 2345}, DirectoryOwner{"app:staff", 1234, 50},
                                           DirectoryOwner{"app:7", 1234, 7}, DirectoryOwner{"app:", 1234, 2345},
                                           DirectoryOwner{"77", 77, 77}, DirectoryOwner{"1234", 1234, 1234},
                                           DirectoryOwner{"77:staff", 77, 50}, DirectoryOwner{"root", 0, 0},
                                           DirectoryOwner{"nobody-here", 0, 0},
                                           DirectoryOwner{"app:nothing", 1234, 2345}));

TEST_F(BuildTest, WorkdirGoesThroughLinks) {
  make_directories(request_.context / "root/real");
  std::filesystem::create_symlink("real", request_.context / "root/link");
  std::filesystem::create_symlink("/made/there", request_.context / "root/dangling");
  const auto result = build("FROM scratch\nCOPY root /\nWORKDIR /link/sub\nWORKDIR /dangling/x\n");
  const auto tree = tree_of(result);
  EXPECT_EQ(result.config.config.working_dir, "/dangling/x");
  EXPECT_NE(tree.find("real/sub"), nullptr);
  EXPECT_NE(tree.find("made/there/x"), nullptr);
  EXPECT_EQ(tree.find("link")->metadata.type, fs::FileType::symlink);
}

struct Faulty {
  const char* dockerfile;
  const char* message;
  int line;
};

class FaultyTest : public BuildTest, public ::testing::WithParamInterface<Faulty> {};

TEST_P(FaultyTest, SaysWhatAndWhere) {
  const auto error = build_error(GetParam().dockerfile);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(Table, FaultyTest,
                         ::testing::Values(Faulty{"FROM scratch\nVOLUME /a $NOPE\n",
                                                  "VOLUME specified can not be an empty string", 2},
                                           Faulty{"FROM scratch\nENV S=NOSUCH\nSTOPSIGNAL SIG$S\n", "SIGNOSUCH", 3},
                                           Faulty{"FROM scratch\nENV P=x\nEXPOSE 80 $P\n", "x", 3},
                                           Faulty{"FROM scratch\nLABEL a=\"${X:?must be set}\"\n", "must be set", 2}));

TEST_F(RunTest, UnknownUserIsAnErrorOfTheCommand) {
  EXPECT_NO_THROW(build("FROM scratch\nUSER nobody-here\nWORKDIR /x\n"));
  const auto error = build_error("FROM scratch\nUSER nobody-here\nWORKDIR /x\nRUN id\n");
  EXPECT_THAT(error.what(), HasSubstr("unable to find user nobody-here"));
  EXPECT_EQ(error.span()->first_line, 4);
}

TEST_F(RunTest, NumbersAreIdsAlsoWhenSomebodyIsCalledSo) {
  write("etc/passwd", "77:x:1:1::/one:/bin/sh\nreal:x:77:78::/real:/bin/sh\n");
  write("etc/group", "50:x:51:\nextra:x:99:real\n");
  build("FROM scratch\nCOPY etc /etc\nUSER 77\nRUN a\nUSER 77:50\nRUN b\n");
  ASSERT_EQ(executor_.specs.size(), 2U);
  EXPECT_EQ(executor_.specs[0].uid, 77U);
  EXPECT_EQ(executor_.specs[0].gid, 78U);
  EXPECT_EQ(executor_.specs[0].supplementary_groups, (std::vector<std::uint32_t>{99}));
  EXPECT_EQ(executor_.specs[1].gid, 50U);
  EXPECT_TRUE(executor_.specs[1].supplementary_groups.empty());
}

}  // namespace
}  // namespace tektii::builder
