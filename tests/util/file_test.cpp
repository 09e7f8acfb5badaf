#include "support/deep_tree.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/tree_cursor.hpp>

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace tektii {
namespace {

namespace fs = std::filesystem;
using testing::FewFiles;
using testing::make_deep_tree;

unsigned mode_of(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

std::size_t count_entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(File, WritesAtomicallyWithTheExactMode) {
  const TempDir dir;
  const auto path = dir.path() / "a";
  write_file_atomic(path, "first");
  write_file_atomic(path, "second", 0600);
  EXPECT_EQ(read_file(path), "second");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(count_entries(dir.path()), 1U);
}

TEST(File, WriteLeavesNothingWhenItFails) {
  const TempDir dir;
  fs::create_directories(dir.path() / "target/sub");
  EXPECT_THROW(write_file_atomic(dir.path() / "target", "x"), Error);  // rename onto a directory
  EXPECT_EQ(count_entries(dir.path()), 1U);
  EXPECT_THROW(write_file_atomic(dir.path() / "missing/file", "x"), Error);
}

// Deeper than the number of files that may be open, and with a path longer than the kernel takes.
TEST(File, RemovesATreeThatIsDeep) {
  const TempDir dir;
  make_deep_tree(dir.path() / "deep", 300);
  const FewFiles few(64);
  remove_tree(dir.path() / "deep");
  EXPECT_EQ(count_entries(dir.path()), 0U);
}

TEST(File, ACursorFindsItsWayBackFromADirectoryThatWasMoved) {
  const TempDir dir;
  make_directories(dir.path() / "a/b/c");
  make_directories(dir.path() / "elsewhere");
  TreeCursor cursor(open_file(dir.path(), O_RDONLY | O_DIRECTORY), "top");
  for (const auto* name : {"a", "b", "c"}) {
    cursor.enter(UniqueFd(::openat(cursor.fd(), name, O_PATH | O_DIRECTORY | O_CLOEXEC)), name);
  }
  EXPECT_EQ(cursor.path("f"), "top/a/b/c/f");
  EXPECT_EQ(cursor.leave(), "c");
  fs::rename(dir.path() / "a/b", dir.path() / "elsewhere/b");
  EXPECT_EQ(cursor.leave(), "b");
  EXPECT_EQ(cursor.path(), "top/a");
  cursor.enter(UniqueFd(::openat(cursor.fd(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)), "gone");
  fs::rename(dir.path() / "a", dir.path() / "elsewhere/a");
  EXPECT_EQ(cursor.leave(), std::nullopt);
}

TEST(File, ReadHoldsItsLimit) {
  const TempDir dir;
  const std::string large(100000, 'x');
  write_file_atomic(dir.path() / "a", large);
  EXPECT_EQ(read_file(dir.path() / "a"), large);
  EXPECT_EQ(read_file(dir.path() / "a", large.size()), large);
  EXPECT_THROW(read_file(dir.path() / "a", large.size() - 1), Error);
  EXPECT_THROW(read_file(dir.path() / "missing"), Error);
  EXPECT_FALSE(read_file("/proc/self/status").empty());  // its size is 0
}

TEST(File, OpenNamesThePath) {
  try {
    open_file("/nonexistent/x", O_RDONLY);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "open /nonexistent/x: No such file or directory");
  }
}

TEST(File, SourceAndSinkMoveBytes) {
  const TempDir dir;
  FdSink sink(open_file(dir.path() / "a", O_WRONLY | O_CREAT), "a");
  sink.write(as_byte_span("hello"));
  EXPECT_EQ(read_all(*open_source(dir.path() / "a")), "hello");
}

TEST(RemoveTree, RemovesWhatItMayAndFollowsNoLink) {
  const TempDir dir;
  const TempDir outside;
  write_file_atomic(outside.path() / "keep", "x");
  const auto root = dir.path() / "tree";
  fs::create_directories(root / "a/b/c");
  write_file_atomic(root / "a/b/file", "x");
  fs::create_symlink(outside.path(), root / "a/link");
  fs::create_symlink("dangling", root / "dangling");
  ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((root / "a/b").c_str(), 0), 0);
  ASSERT_EQ(::chmod((root / "a").c_str(), 0555), 0);
  remove_tree(root);
  EXPECT_FALSE(fs::exists(root));
  EXPECT_TRUE(fs::exists(outside.path() / "keep"));
  EXPECT_NO_THROW(remove_tree(root));
  EXPECT_NO_THROW(remove_tree(root / "below/nothing"));
}

TEST(RemoveTree, RemovesALinkAndAFileItself) {
  const TempDir dir;
  fs::create_directory(dir.path() / "target");
  fs::create_directory_symlink(dir.path() / "target", dir.path() / "link");
  remove_tree(dir.path() / "link");
  EXPECT_TRUE(fs::exists(dir.path() / "target"));
  write_file_atomic(dir.path() / "file", "");
  remove_tree(dir.path() / "file");
  EXPECT_FALSE(fs::exists(dir.path() / "file"));
}

TEST(TempDir, IsPrivateAndGoes) {
  fs::path path;
  {
    const TempDir dir("tektii-test-");
    path = dir.path();
    EXPECT_EQ(mode_of(path), 0700U);
    EXPECT_THAT(path.filename().string(), ::testing::StartsWith("tektii-test-"));
    write_file_atomic(path / "x", "x");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempDir, ReleaseKeepsIt) {
  const TempDir parent;
  fs::path kept;
  {
    TempDir dir("x-", parent.path());
    kept = dir.release();
  }
  EXPECT_TRUE(fs::is_directory(kept));
  EXPECT_EQ(kept.parent_path(), parent.path());
}

TEST(Fd, PipeEndsCloseOnExecAndMove) {
  auto pipe = make_pipe();
  EXPECT_EQ(::fcntl(pipe.read_end.get(), F_GETFD), FD_CLOEXEC);
  write_fully(pipe.write_end.get(), as_byte_span("x"), "pipe");
  pipe.write_end.reset();
  UniqueFd moved(std::move(pipe.read_end));
  EXPECT_FALSE(pipe.read_end);  // NOLINT(bugprone-use-after-move): an empty descriptor is the contract
  FdSource source(std::move(moved), "pipe");
  EXPECT_EQ(read_all(source), "x");
}

TEST(Fd, FullDiskHasAHint) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  FdSink sink(open_file("/dev/full", O_WRONLY), "/dev/full");
  try {
    sink.write(as_byte_span("x"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "write /dev/full: No space left on device");
    EXPECT_EQ(error.hints().size(), 1U);
  }
}

}  // namespace
}  // namespace tektii
