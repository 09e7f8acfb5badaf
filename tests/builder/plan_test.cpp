#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

oci::ImageConfig labelled(const std::string& value) {
  oci::ImageConfig config;
  config.config.labels["from"] = value;
  return config;
}

class PlanTest : public BuildTest {
 protected:
  void add_directory(const std::string& name, const std::string& file, const std::string& content) {
    const auto path = directory_.path() / ("context-" + name);
    make_directories(path / std::filesystem::path(file).parent_path());
    write_file_atomic(path / file, content);
    request_.named_contexts[name] = {NamedContext::Kind::directory, path, {}};
  }
  void add_image_context(const std::string& name, const std::string& image) {
    request_.named_contexts[name] = {NamedContext::Kind::image, {}, image};
  }
};

struct Spelling {
  const char* context;
  const char* from;
  bool same;
};

class SpellingTest : public PlanTest, public ::testing::WithParamInterface<Spelling> {};

TEST_P(SpellingTest, ComparesNamesOfImagesInFull) {
  images_.add("oci-layout:///base:tag", labelled("context"), store_);
  add_image_context(GetParam().context, "oci-layout:///base:tag");
  const auto text = std::string("FROM ") + GetParam().from + "\n";
  if (GetParam().same) {
    EXPECT_EQ(build(text).config.config.labels["from"], "context");
  } else {
    EXPECT_THAT(build_error(text).what(), HasSubstr("no registry in this test"));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, SpellingTest,
                         ::testing::Values(Spelling{"python", "python", true},
                                           Spelling{"python", "python:latest", true},
                                           Spelling{"python", "docker.io/library/python", true},
                                           Spelling{"docker.io/library/python:latest", "python", true},
                                           Spelling{"python:3.12", "index.docker.io/library/python:3.12", true},
                                           Spelling{"python", "python:3.12", false},
                                           Spelling{"python", "other/python", false},
                                           Spelling{"localhost:5000/a", "localhost:5000/a:latest", true}));

TEST_F(PlanTest, BaseThatAContextReplacesKeepsItsName) {
  images_.add("oci-layout:///somewhere:tag", {}, store_);
  add_image_context("python:3.12", "oci-layout:///somewhere:tag");
  EXPECT_EQ(build("FROM python:3.12\n").base_name, "docker.io/library/python:3.12");
  add_image_context("st.age-", "oci-layout:///somewhere:tag");
  EXPECT_EQ(build("FROM gone AS St.Age-\nFROM St.Age-\n").base_name, "st.age-");
}

TEST_F(PlanTest, ContextReplacesAStageOfItsName) {
  images_.add("other:1", labelled("context"), store_);
  add_image_context("base", "other:1");
  EXPECT_EQ(build("FROM gone AS Base\nRUN never\nFROM base\n").config.config.labels["from"], "context");
  EXPECT_EQ(build("FROM gone AS base\nRUN never\n").config.config.labels["from"], "context");
  EXPECT_THAT(opened_, ElementsAre("other:1", "other:1"));
}

TEST_F(PlanTest, DirectoryReplacesAStageThatIsCopiedFrom) {
  add_directory("assets", "a.txt", "from the directory");
  const auto tree =
      tree_of(build("FROM gone AS assets\nFROM scratch\nCOPY --from=assets a.txt /\nCOPY --from=0 a.txt /b\n"));
  EXPECT_NE(tree.find("a.txt"), nullptr);
  EXPECT_NE(tree.find("b"), nullptr);
}

TEST_F(PlanTest, DirectoryIsABase) {
  add_directory("root", "etc/motd", "hello");
  write_file_atomic(directory_.path() / "context-root" / ".dockerignore", "*.tmp\n");
  write_file_atomic(directory_.path() / "context-root" / "x.tmp", "x");
  const auto result = build("FROM root\nLABEL a=b\n");
  const auto tree = tree_of(result);
  ASSERT_NE(tree.find("etc/motd"), nullptr);
  EXPECT_EQ(tree.find("etc/motd")->metadata.mode, 0644U);
  EXPECT_EQ(tree.find("x.tmp"), nullptr);
  EXPECT_EQ(result.image.layers.size(), 1U);
  EXPECT_EQ(result.config.history.front().created_by, "FROM root");
}

TEST_F(PlanTest, ScratchAndTheContextCantBeReplaced) {
  add_directory("scratch", "a", "a");
  add_directory("context", "a", "a");
  EXPECT_TRUE(build("FROM scratch\n").image.layers.empty());
  EXPECT_THAT(build_error("FROM context\n").what(), HasSubstr("no registry in this test"));
}

TEST_F(PlanTest, EachProblemIsReportedOnce) {
  const auto error = build_error("FROM scratch\nCOPY --from=5 f /\nCOPY --from=6 f /\n");
  EXPECT_THAT(error.what(), HasSubstr("invalid stage index 5"));
  EXPECT_THAT(error.hints(), ElementsAre(HasSubstr("also: Dockerfile:3: invalid stage index 6")));
}

TEST_F(PlanTest, ProblemsAreReportedInTheOrderOfTheFile) {
  const auto error = build_error(
      "FROM scratch AS a\nCOPY --from=5 f /\nFROM a AS b\nCOPY --from=6 f /\nFROM scratch\nCOPY --from=b f /\nCOPY "
      "--from=7 f /\n");
  EXPECT_THAT(error.what(), HasSubstr("invalid stage index 5"));
  EXPECT_THAT(error.hints(), ElementsAre(HasSubstr("also: Dockerfile:4: invalid stage index 6"),
                                         HasSubstr("also: Dockerfile:7: invalid stage index 7")));
}

TEST_F(PlanTest, AChainOfManyStagesNeedsNoStack) {
  constexpr int k_stages = 20'000;
  std::string text = "FROM scratch AS s0\nENV A=1\n";
  for (int i = 1; i < k_stages; ++i) text += fmt::format("FROM s{} AS s{}\n", i - 1, i);
  EXPECT_EQ(build(text).config.config.get_env("A"), "1");
}

TEST_F(PlanTest, ImageContextMayBeScratch) {
  add_image_context("python", "scratch");
  EXPECT_TRUE(build("FROM python\n").image.layers.empty());
}

}  // namespace
}  // namespace tektii::builder
