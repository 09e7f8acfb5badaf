#include "builder/copy_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

namespace tektii::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(CopyTest, ImplicitDirectoriesTakeOwnerAndOctalMode) {
  write("src/sub/f", "x");
  const auto octal = build("FROM scratch\nCOPY --chown=9:10 --chmod=4651 src /a/b\n");
  EXPECT_EQ(at(octal, "a"), "d 651 9:10");
  EXPECT_EQ(at(octal, "a/b"), "d 651 9:10");
  EXPECT_EQ(at(octal, "a/b/sub"), "d 4651 9:10");
  EXPECT_EQ(at(octal, "a/b/sub/f"), "f 4651 9:10");
  const auto symbolic = build("FROM scratch\nCOPY --chown=9:10 --chmod=go-rx src /a/b\n");
  EXPECT_EQ(at(symbolic, "a"), "d 755 9:10");
  EXPECT_EQ(at(symbolic, "a/b"), "d 755 9:10");
  EXPECT_EQ(at(symbolic, "a/b/sub"), "d 700 9:10");
  EXPECT_EQ(at(symbolic, "a/b/sub/f"), "f 600 9:10");
}

TEST_F(CopyTest, EmptyFlagsAreNoFlags) {
  write("f", "x");
  const auto result = build("FROM scratch\nARG NONE=\nCOPY --chown=$NONE --chmod=$NONE f /f\n");
  EXPECT_EQ(at(result, "f"), "f 644 0:0");
  EXPECT_EQ(result.config.history.back().created_by, "COPY f /f # buildkit");
}

TEST_F(CopyTest, ExistingParentsKeepTheirAttributes) {
  write("f", "x");
  const auto result = build("FROM scratch\nCOPY --chmod=711 f /a/one\nCOPY --chmod=600 --chown=5 f /a/two\n");
  EXPECT_EQ(at(result, "a"), "d 711 0:0");
  EXPECT_EQ(at(result, "a/two"), "f 600 5:5");
}

TEST_F(CopyTest, NestedDirectoriesOverwriteAttributesAndTheDestinationKeepsIts) {
  write("src/sub/f", "x");
  const auto result = build("FROM scratch\nCOPY --chmod=700 src /dst\nCOPY src /dst\n");
  EXPECT_EQ(at(result, "dst"), "d 700 0:0");
  EXPECT_EQ(at(result, "dst/sub"), "d 755 0:0");
}

TEST_F(CopyTest, LinkAsDestinationIsFollowed) {
  write("f", "new");
  write("old", "old");
  std::filesystem::create_symlink("real", request_.context / "lnk");
  std::filesystem::create_symlink("/x/made", request_.context / "dangling");
  write("tree/real", "old");
  std::filesystem::create_symlink("real", request_.context / "tree/lnk");
  std::filesystem::create_symlink("/x/made", request_.context / "tree/dangling");
  const auto result = build("FROM scratch\nCOPY tree /\nCOPY f /lnk\nCOPY f /dangling\n");
  EXPECT_EQ(at(result, "lnk"), "l -> real");
  EXPECT_EQ(text_of(result, "real"), "new");
  EXPECT_EQ(at(result, "dangling"), "l -> /x/made");
  EXPECT_EQ(text_of(result, "x/made"), "new");
}

TEST_F(CopyTest, LinkInsideOfTheDestinationIsReplacedByAFile) {
  write("one/real", "old");
  std::filesystem::create_symlink("real", request_.context / "one/l");
  write("two/l", "new");
  const auto result = build("FROM scratch\nCOPY one /d\nCOPY two /d\n");
  EXPECT_EQ(at(result, "d/l"), "f 644 0:0");
  EXPECT_EQ(text_of(result, "d/real"), "old");
}

TEST_F(CopyTest, DirectoryMergesThroughALinkToADirectory) {
  write("one/usr/bin/a", "a");
  std::filesystem::create_symlink("usr/bin", request_.context / "one/bin");
  write("two/bin/deep/b", "b");
  const auto result = build("FROM scratch\nCOPY one /\nCOPY two /\n");
  EXPECT_EQ(at(result, "bin"), "l -> usr/bin");
  EXPECT_EQ(at(result, "usr/bin/deep/b"), "f 644 0:0");
}

TEST_F(CopyTest, LinkThatAnEarlierSourceBroughtIsSeen) {
  make_directories(request_.context / "one");
  std::filesystem::create_symlink("elsewhere", request_.context / "one/x");
  write("two/x/f", "f");
  EXPECT_THAT(build_error("FROM scratch\nCOPY one two /d/\n").what(), HasSubstr("cannot copy to non-directory: /d/x"));
}

TEST_F(CopyTest, SourceLinksAreFollowedAtTheTopAndKeptBelow) {
  write("real/f.txt", "x");
  std::filesystem::create_symlink("real", request_.context / "dir-link");
  std::filesystem::create_symlink("real/f.txt", request_.context / "file-link");
  std::filesystem::create_symlink("f.txt", request_.context / "real/inner");
  const auto result = build("FROM scratch\nCOPY dir-link file-link /o/\n");
  EXPECT_EQ(at(result, "o/f.txt"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/file-link"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/inner"), "l -> f.txt");
}

TEST_F(CopyTest, WildcardsAreThoseOfGo) {
  write("arr[0].txt", "x");
  write("b1.c", "1");
  write("b2.c", "2");
  write("sub/b3.c", "3");
  const auto result = build("FROM scratch\nCOPY arr[[]0].txt /x/\nCOPY b[^2].c ./s?b/b*.c /y/\n");
  EXPECT_EQ(at(result, "x/arr[0].txt"), "f 644 0:0");
  EXPECT_EQ(at(result, "y/b1.c"), "f 644 0:0");
  EXPECT_EQ(at(result, "y/b2.c"), "-");
  EXPECT_EQ(at(result, "y/b3.c"), "f 644 0:0");
}

TEST_F(CopyTest, WildcardsDoNotEnterLinksToDirectories) {
  write("real/f.txt", "x");
  std::filesystem::create_symlink("real", request_.context / "lnk");
  const auto result = build("FROM scratch\nCOPY l*/f.txt /a/\nCOPY lnk/*.txt /b/\n");
  EXPECT_EQ(at(result, "a"), "-");
  EXPECT_EQ(at(result, "b/f.txt"), "f 644 0:0");
}

TEST_F(CopyTest, WildcardThatFindsALinkToNowhereIsAnErrorBeforeAnythingRuns) {
  std::filesystem::create_symlink("nowhere", request_.context / "lnk");
  const auto error = build_error("FROM python:3.11\nCOPY l* /d/\n");
  EXPECT_THAT(error.what(), HasSubstr("lnk is a link to something that is not there"));
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_TRUE(opened_.empty());
  EXPECT_THAT(build_error("FROM python:3.11\nCOPY missing /d/\n").what(), HasSubstr("missing not found"));
  const auto named = build_error("FROM python:3.11\nCOPY lnk /d/\n");
  EXPECT_THAT(named.what(), HasSubstr("lnk not found"));
  EXPECT_THAT(named.hints(), ElementsAre("lnk is a link, and what it names is not there"));
  request_.ignore_text = "lnk\n";
  EXPECT_EQ(at(build("FROM scratch\nCOPY l* /d/\n"), "d"), "-");
}

// The caret of a fault that no single word has.
TEST_F(CopyTest, FaultsOfAStepPointAtItsKeyword) {
  const auto error = build_error("FROM scratch\ncopy <<EOF /a\nx\nEOF\n  WORKDIR /a\n");
  EXPECT_THAT(error.what(), HasSubstr("is not a directory"));
  EXPECT_EQ(error.span()->first_line, 5);
  EXPECT_EQ(error.span()->column, 3);
  EXPECT_EQ(error.span()->length, 7);
}

TEST_F(CopyTest, MalformedWildcardIsFoundBeforeAnythingRuns) {
  write("f", "x");
  const auto error = build_error("FROM python:3.11\nCOPY [f /d/\n");
  EXPECT_THAT(error.what(), HasSubstr("syntax error in pattern"));
  EXPECT_EQ(error.span()->first_line, 2);
}

TEST_F(CopyTest, SourcePathsStayInTheContext) {
  write("f", "x");
  const auto result = build("FROM scratch\nCOPY ../../f /a\nCOPY /f /b\nCOPY f/ /c\n");
  for (const auto* name : {"a", "b", "c"}) EXPECT_EQ(at(result, name), "f 644 0:0") << name;
}

TEST_F(CopyTest, SeveralDirectoriesMergeWithoutASlash) {
  write("one/a", "a");
  write("two/b", "b");
  const auto result = build("FROM scratch\nCOPY one two /d\n");
  EXPECT_EQ(at(result, "d/a"), "f 644 0:0");
  EXPECT_EQ(at(result, "d/b"), "f 644 0:0");
}

TEST_F(CopyTest, DestinationWithASlashThatIsAFileIsAnError) {
  write("f", "x");
  EXPECT_THAT(build_error("FROM scratch\nCOPY f /o\nCOPY f /o/\n").what(),
              HasSubstr("cannot copy into /o: it is not a directory"));
}

TEST_F(CopyTest, SetIdBitsAreKeptAndSocketsAreLeftOut) {
  write("d/tool", "x", 04755);
  ::chmod((request_.context / "d/tool").c_str(), 04755);
  ASSERT_EQ(::mkfifo((request_.context / "d/pipe").c_str(), 0600), 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = (request_.context / "d/sock").string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  const auto result = build("FROM scratch\nCOPY --chown=5:6 d /d\n");
  EXPECT_EQ(at(result, "d/tool"), "f 4755 5:6");
  EXPECT_EQ(at(result, "d/sock"), "-");
  EXPECT_EQ(tree_of(result).find("d/pipe")->metadata.type, fs::FileType::fifo);
  const auto error = build_error("FROM scratch\nCOPY d/sock /s\n");
  EXPECT_THAT(error.what(), HasSubstr("d/sock is a socket"));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_EQ(at(build("FROM scratch\nCOPY d/so* /s/\n"), "s/sock"), "-");
}

TEST_F(CopyTest, SparseFilesKeepTheirBytes) {
  const auto path = request_.context / "sparse";
  write("sparse", "start");
  std::filesystem::resize_file(path, 3 << 20);
  const auto result = build("FROM scratch\nCOPY sparse /sparse\n");
  EXPECT_EQ(tree_of(result).find("sparse")->metadata.size, 3U << 20);
  EXPECT_EQ(text_of(result, "sparse").substr(0, 6), std::string("start\0", 6));
}

TEST_F(CopyFromTest, NewDestinationDoesNotTakeTheSourcesAttributes) {
  write("src/sub/f", "x");
  const auto result = build(
      "FROM scratch AS one\nCOPY --chmod=1777 --chown=5:6 src /tmp/src\nFROM scratch\nCOPY --from=one /tmp /new\n");
  EXPECT_EQ(at(result, "new"), "d 755 0:0");
  EXPECT_EQ(at(result, "new/src/sub"), "d 1777 5:6");
  EXPECT_EQ(at(result, "new/src/sub/f"), "f 1777 5:6");
}

TEST_F(CopyFromTest, CapabilitiesSurviveCopyAndChown) {
  write("tool", "x", 0755);
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  if (::setxattr((request_.context / "tool").c_str(), "security.capability", capability.data(), capability.size(), 0) !=
      0) {
    GTEST_SKIP() << "file capabilities can't be set here";
  }
  const auto result =
      build("FROM scratch AS one\nCOPY tool /tool\nFROM scratch\nCOPY --from=one --chown=5 /tool /tool\n");
  EXPECT_EQ(tree_of(result).find("tool")->metadata.xattrs.at("security.capability"), capability);
}

TEST_F(CopyFromTest, StagesAreNamedByNumberAndWithoutCase) {
  write("f", "x");
  const auto result =
      build("FROM scratch AS One\nCOPY f /d/f\nFROM scratch\nCOPY --from=0 /d/f /a\nCOPY --from=ONE d/* /b/\n");
  EXPECT_EQ(text_of(result, "a"), "x");
  EXPECT_EQ(text_of(result, "b/f"), "x");
}

TEST_F(CopyFromTest, MissingPathOfAStageIsAnErrorWithItsLine) {
  write("config", "x");
  const auto error = build_error(
      "FROM scratch AS one\nCOPY config /etc/config\nFROM scratch\n"
      "COPY --from=one /etc/confg /\n");
  EXPECT_THAT(error.what(), HasSubstr("/etc/confg not found in one"));
  EXPECT_THAT(error.hints(), ::testing::Contains(HasSubstr("did you mean etc/config?")));
  EXPECT_EQ(error.span()->first_line, 4);
}

}  // namespace
}  // namespace tektii::builder
