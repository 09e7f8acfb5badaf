#include "builder/copy_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

class CopyFilterTest : public CopyTest {
 protected:
  CopyFilterTest() {
    write("a/b/c/d/foo", "1");
    write("a/b/c/d/e/bay", "2");
    write("a/b2/c/f", "3");
    write("top", "4");
  }
};

TEST_F(CopyFilterTest, ParentsKeepsTheDirectories) {
  const auto result = build("FROM scratch\nWORKDIR /test\nCOPY --parents a/b/c/d/foo a/b2/* .\n");
  EXPECT_EQ(at(result, "test/a/b/c/d/foo"), "f 644 0:0");
  EXPECT_EQ(at(result, "test/a/b/c/d/e"), "-");
  EXPECT_EQ(at(result, "test/a/b2/c/f"), "f 644 0:0");
  EXPECT_EQ(at(result, "test/top"), "-");
}

struct Pivot {
  const char* words;
  std::vector<std::string> there;
  std::vector<std::string> not_there;
};

TEST_F(CopyFilterTest, PivotCutsWhatComesBefore) {
  const std::vector<Pivot> table = {
      {"/a/b/./c/d", {"out/c/d/foo", "out/c/d/e/bay"}, {"out/a", "out/e"}},
      {"a/b/c/d/.", {"out/a/b/c/d/foo"}, {"out/foo"}},
      {"./a/b/c/d", {"out/a/b/c/d/foo"}, {"out/b"}},
      {"a/./b/./c", {"out/b/c/d/foo"}, {"out/a", "out/c"}},
      {"a/./*/c", {"out/b/c/d/foo", "out/b2/c/f"}, {"out/a"}},
      {"a/b*/./c/**/f*", {"out/c/d/foo", "out/c/f"}, {"out/c/d/e"}},
      {"**/bay", {"out/a/b/c/d/e/bay"}, {"out/a/b/c/d/foo", "out/a/b2"}},
      {"zz* a/zz*/./x a/b/./zz*", {"out"}, {"out/a"}},
      {"*/./b", {"out/b/c/d/foo"}, {"out/top", "out/b2"}},
      {".", {"out/a/b/c/d/foo", "out/top"}, {}},
  };
  for (const auto& row : table) {
    const auto result = build(fmt::format("FROM scratch\nCOPY --parents {} /out/\n", row.words));
    for (const auto& path : row.there) EXPECT_NE(at(result, path), "-") << row.words << " " << path;
    for (const auto& path : row.not_there) EXPECT_EQ(at(result, path), "-") << row.words << " " << path;
  }
}

TEST_F(CopyFilterTest, ParentsOfAMissingLiteralPathIsAnErrorBeforeAnythingRuns) {
  const auto error = build_error("FROM python:3.11\nCOPY --parents a/b/./nothing /out/\n");
  EXPECT_THAT(error.what(), HasSubstr("a/b/./nothing not found in the build context"));
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_TRUE(opened_.empty());
}

TEST_F(CopyFilterTest, ParentsTakeOwnerAndMode) {
  const auto result = build("FROM scratch\nCOPY --parents --chown=9 --chmod=700 a/b/c/d/foo /out/\n");
  for (const auto* path : {"out", "out/a", "out/a/b/c/d"}) EXPECT_EQ(at(result, path), "d 700 9:9") << path;
  EXPECT_EQ(at(result, "out/a/b/c/d/foo"), "f 700 9:9");
}

TEST_F(CopyFilterTest, ParentsIsInTheHistory) {
  const auto result = build("FROM scratch\nCOPY --parents a/b/c/d/foo /out/\n");
  EXPECT_EQ(result.config.history.back().created_by, "COPY --parents a/b/c/d/foo /out/ # buildkit");
}

struct Exclude {
  const char* line;
  std::vector<std::string> there;
  std::vector<std::string> not_there;
};

TEST_F(CopyFilterTest, ExcludeLeavesOut) {
  const std::vector<Exclude> table = {
      {"--exclude=a/b . /o/", {"o/a/b2/c/f", "o/top"}, {"o/a/b"}},
      {"--exclude=**/foo --exclude=top . /o/", {"o/a/b/c/d/e/bay"}, {"o/a/b/c/d/foo", "o/top"}},
      {"--exclude=foo a/b/c/d /o/", {"o/e/bay"}, {"o/foo"}},
      {"--exclude=a/b/ --exclude=!a/b/c/d/e . /o/", {"o/a/b/c/d/e/bay"}, {"o/a/b/c/d/foo"}},
      {"--exclude=* a /o/", {"o"}, {"o/b", "o/b2"}},
      {"--exclude=b* a* /o/", {"o"}, {"o/b", "o/b2"}},
      {"--exclude=/top . /o/", {"o/top"}, {}},
      {"--exclude=t* * /o/", {"o/b/c/d/foo"}, {"o/top"}},
      {"--exclude=t* top /o/", {"o/top"}, {}},
      {"--parents --exclude=**/foo --exclude=a/b/c/d/e a/b /o/", {"o/a/b/c/d"}, {"o/a/b/c/d/e", "o/a/b/c/d/foo"}},
      {"--parents --exclude=b/c/d/e ./a/./b /o/", {"o/b/c/d/foo"}, {"o/b/c/d/e"}},
  };
  for (const auto& row : table) {
    const auto result = build(fmt::format("FROM scratch\nCOPY {}\n", row.line));
    for (const auto& path : row.there) EXPECT_NE(at(result, path), "-") << row.line << " " << path;
    for (const auto& path : row.not_there) EXPECT_EQ(at(result, path), "-") << row.line << " " << path;
  }
}

TEST_F(CopyFilterTest, ExcludedFilesAreNoPartOfTheKey) {
  const std::string dockerfile = "FROM scratch\nCOPY --exclude=**/foo a /o/\n";
  build(dockerfile);
  write("a/b/c/d/foo", "changed");
  build(dockerfile);
  EXPECT_EQ(outcome("[stage-0 1/1] COPY --exclude=**/foo a /o/"), StepOutcome::cached);
  write("a/b2/c/f", "changed");
  build(dockerfile);
  EXPECT_EQ(outcome("[stage-0 1/1] COPY --exclude=**/foo a /o/"), StepOutcome::done);
}

TEST_F(CopyFilterTest, MalformedExcludeIsFoundBeforeAnythingRuns) {
  const auto error = build_error("FROM python:3.11\nCOPY --exclude=[a top /\n");
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(error.span()->first_line, 2);
}

class CopyFilterFromTest : public CopyFilterTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers with their owners needs root";
  }
};

TEST_F(CopyFilterFromTest, ParentsAndExcludeWorkOnStages) {
  const auto result = build(
      "FROM scratch AS one\nCOPY a /x/a\nFROM scratch\n"
      "COPY --from=one --parents --exclude=**/e /x/./a/*/c /o/\n");
  EXPECT_EQ(at(result, "o/a/b/c/d/foo"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/a/b/c/d/e"), "-");
  EXPECT_EQ(text_of(result, "o/a/b2/c/f"), "3");
}

}  // namespace
}  // namespace tektii::builder
