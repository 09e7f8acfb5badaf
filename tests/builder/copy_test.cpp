#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

TEST_F(BuildTest, CopiesAFileUnderItsNameAndUnderAnother) {
  write("a.txt", "one");
  const auto tree = tree_of(build("FROM scratch\nCOPY a.txt /dir/\nCOPY a.txt /b.txt\n"));
  ASSERT_NE(tree.find("dir/a.txt"), nullptr);
  ASSERT_NE(tree.find("b.txt"), nullptr);
  EXPECT_EQ(tree.find("dir/a.txt")->metadata.size, 3U);
  EXPECT_EQ(tree.find("dir")->metadata.mode, 0755U);
}

TEST_F(BuildTest, CopiesTheContentsOfADirectory) {
  write("src/one.py", "1");
  write("src/deep/two.py", "2", 0755);
  const auto tree = tree_of(build("FROM scratch\nWORKDIR /app\nCOPY src .\n"));
  ASSERT_NE(tree.find("app/one.py"), nullptr);
  ASSERT_NE(tree.find("app/deep/two.py"), nullptr);
  EXPECT_EQ(tree.find("app/deep/two.py")->metadata.mode, 0755U);
  EXPECT_EQ(tree.find("src"), nullptr);
}

TEST_F(BuildTest, WildcardMayMatchNothing) {
  write("main.py", "x");
  const auto result = build("FROM scratch\nCOPY requirements.txt* main.py /app/\nCOPY none* /app/\n");
  const auto tree = tree_of(result);
  EXPECT_NE(tree.find("app/main.py"), nullptr);
  EXPECT_EQ(result.image.layers.size(), 1U);
  EXPECT_TRUE(result.config.history.back().empty_layer);
}

TEST_F(BuildTest, MissingSourceIsFoundBeforeAnythingIsOpened) {
  write("main.py", "x");
  const auto error = build_error("FROM python:3.11\nCOPY mian.py /app/\n");
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.what(), HasSubstr("mian.py not found in the build context"));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_THAT(error.hints(), ::testing::Contains(HasSubstr("did you mean main.py?")));
  EXPECT_TRUE(opened_.empty());
}

TEST_F(BuildTest, IgnoredSourceSaysWhichPatternExcludesIt) {
  write("secret.env", "x");
  request_.ignore_text = "# keys\n*.txt\n *.env\n";
  const auto error = build_error("FROM scratch\nCOPY secret.env /\n");
  EXPECT_THAT(error.what(), HasSubstr("secret.env is excluded by .dockerignore, line 3: *.env"));
}

TEST_F(BuildTest, NegatedPatternBringsAFileOfAnExcludedDirectoryBack) {
  write("docs/a.md", "a");
  write("docs/keep.md", "k");
  write("main.py", "m");
  request_.ignore_text = "docs\n!docs/keep.md\n";
  const auto tree = tree_of(build("FROM scratch\nCOPY . /x\n"));
  EXPECT_NE(tree.find("x/docs/keep.md"), nullptr);
  EXPECT_EQ(tree.find("x/docs/a.md"), nullptr);
  EXPECT_NE(tree.find("x/main.py"), nullptr);
}

TEST_F(BuildTest, SymlinkedParentLeadsWhereTheKernelWouldGo) {
  make_directories(request_.context / "root/usr/bin");
  std::filesystem::create_symlink("usr/bin", request_.context / "root/bin");
  write("tool", "t", 0755);
  const auto tree = tree_of(build("FROM scratch\nCOPY root /\nCOPY tool /bin/\nCOPY tool /bin/other\n"));
  EXPECT_EQ(tree.find("bin")->metadata.type, fs::FileType::symlink);
  EXPECT_NE(tree.find("usr/bin/tool"), nullptr);
  EXPECT_NE(tree.find("usr/bin/other"), nullptr);
}

TEST_F(BuildTest, ChownByNameReadsTheStagesOwnPasswd) {
  write("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1234:2345::/home/app:/bin/sh\n");
  write("etc/group", "root:x:0:\nstaff:x:50:\n");
  write("f", "x");
  const auto tree =
      tree_of(build("FROM scratch\nCOPY etc /etc\nCOPY --chown=app f /one\nCOPY --chown=app:staff f /two\nCOPY "
                    "--chown=77 f /d/three\n"));
  EXPECT_EQ(tree.find("one")->metadata.uid, 1234U);
  EXPECT_EQ(tree.find("one")->metadata.gid, 2345U);
  EXPECT_EQ(tree.find("two")->metadata.gid, 50U);
  EXPECT_EQ(tree.find("d/three")->metadata.uid, 77U);
  EXPECT_EQ(tree.find("d/three")->metadata.gid, 77U);
  EXPECT_EQ(tree.find("d")->metadata.uid, 77U);
}

TEST_F(BuildTest, UnknownOwnerIsAnErrorWithASuggestion) {
  write("etc/passwd", "appuser:x:1:1::/:/bin/sh\n");
  write("f", "x");
  const auto error = build_error("FROM scratch\nCOPY etc /etc\nCOPY --chown=apuser f /one\n");
  EXPECT_THAT(error.what(), HasSubstr("unable to find user apuser"));
  EXPECT_THAT(error.hints(), ::testing::Contains(HasSubstr("did you mean appuser?")));
  EXPECT_EQ(error.span()->first_line, 3);
}

TEST_F(BuildTest, ChmodReplacesTheMode) {
  write("f", "x");
  const auto tree = tree_of(build("FROM scratch\nCOPY --chmod=4711 f /f\n"));
  EXPECT_EQ(tree.find("f")->metadata.mode, 04711U);
}

TEST_F(BuildTest, SeveralFilesNeedADirectory) {
  write("a.py", "a");
  write("b.py", "b");
  const auto error = build_error("FROM scratch\nCOPY *.py /target\n");
  EXPECT_THAT(error.what(), HasSubstr("several files are copied to /target"));
}

TEST_F(BuildTest, ExistingDirectoryKeepsItsMode) {
  write("f", "x");
  const auto tree = tree_of(build("FROM scratch\nCOPY --chmod=700 f /private/f\nCOPY f /private/\n"));
  ASSERT_NE(tree.find("private"), nullptr);
  EXPECT_EQ(tree.find("private")->metadata.mode, 0700U);
}

TEST_F(BuildTest, HardLinksStayOneFile) {
  write("d/a", "same");
  std::filesystem::create_hard_link(request_.context / "d/a", request_.context / "d/b");
  const auto result = build("FROM scratch\nCOPY d /d\n");
  const auto index = snapshots_.index(result.image.layers[0], {});
  int links = 0;
  for (const auto& entry : index.entries) links += entry.kind == layer::LayerEntry::Kind::hard_link ? 1 : 0;
  EXPECT_EQ(links, 1);
}

TEST_F(BuildTest, FileAndDirectoryOfOneNameAreAnError) {
  write("image/w/x.md/sub", "a");
  write("image/w/y", "file");
  write("z/x.md", "file");
  write("q/y/z", "b");
  EXPECT_THAT(build_error("FROM scratch\nCOPY image /\nCOPY z /w\n").what(),
              HasSubstr("cannot replace to directory /w/x.md with file"));
  EXPECT_THAT(build_error("FROM scratch\nCOPY image /\nCOPY q /w\n").what(),
              HasSubstr("cannot copy to non-directory: /w/y"));
}

TEST_F(BuildTest, WorkdirBelowAFileIsAnError) {
  write("f", "x");
  const auto error = build_error("FROM scratch\nCOPY f /etc/passwd\nWORKDIR /etc/passwd/foo\n");
  EXPECT_THAT(error.what(), HasSubstr("/etc/passwd is not a directory"));
  EXPECT_EQ(error.span()->first_line, 3);
}

TEST_F(BuildTest, SeparateSourcesAreNotLinkedToEachOther) {
  write("d/a", "same");
  std::filesystem::create_hard_link(request_.context / "d/a", request_.context / "d/b");
  const auto result = build("FROM scratch\nCOPY d/a d/b /d/\n");
  for (const auto& entry : snapshots_.index(result.image.layers[0], {}).entries) {
    EXPECT_NE(entry.kind, layer::LayerEntry::Kind::hard_link) << entry.path;
  }
}

TEST_F(BuildTest, DigestDoesNotDependOnTimesModesOrPlace) {
  write("src/a.py", "print(1)\n");
  write("src/run.sh", "#!/bin/sh\n", 0755);
  const std::string dockerfile = "FROM scratch\nWORKDIR /app\nCOPY . .\nCMD [\"/app/src/run.sh\"]\n";
  const auto first = build(dockerfile).image.manifest.digest;

  request_.context = directory_.path() / "elsewhere";
  ::umask(077);
  write("src/run.sh", "#!/bin/sh\n", 0700);
  write("src/a.py", "print(1)\n", 0600);
  ::umask(022);
  request_.no_cache = true;
  EXPECT_EQ(build(dockerfile).image.manifest.digest, first);
}

TEST_F(BuildTest, CopiesFromADirectoryContext) {
  make_directories(directory_.path() / "wheels");
  write_file_atomic(directory_.path() / "wheels" / "x.whl", "wheel");
  request_.named_contexts["wheels"] = {NamedContext::Kind::directory, directory_.path() / "wheels", {}};
  const auto tree = tree_of(build("FROM scratch\nCOPY --from=wheels *.whl /wheels/\n"));
  EXPECT_NE(tree.find("wheels/x.whl"), nullptr);
}

TEST_F(BuildTest, UnchangedStepIsNotRunAgainAndChangedContentIs) {
  write("f", "one");
  build("FROM scratch\nCOPY f /f\n");
  build("FROM scratch\nCOPY f /f\n");
  EXPECT_EQ(progress_.outcomes.at("[stage-0 1/1] COPY f /f"), StepOutcome::cached);
  write("f", "two");
  build("FROM scratch\nCOPY f /f\n");
  EXPECT_EQ(progress_.outcomes.at("[stage-0 1/1] COPY f /f"), StepOutcome::done);
}

}  // namespace
}  // namespace tektii::builder
