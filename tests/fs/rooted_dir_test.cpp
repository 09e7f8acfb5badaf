#include <tektii/fs/read_inside.hpp>
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fs/root_walk.hpp>
#include <fstream>
#include <string>

namespace tektii::fs {
namespace {

namespace stdfs = std::filesystem;

class RootedDirTest : public testing::Test {
 protected:
  RootedDirTest() {
    stdfs::create_directories(root() / "etc/deep");
    stdfs::create_directories(root() / "run");
    write("etc/file", "inside");
    std::ofstream(temp_.path() / "secret") << "outside";
    link("/etc/file", "absolute");
    link("../secret", "up");
    link("../../../secret", "etc/deep/up");
    link("/secret", "abs-secret");
    link("loop", "loop");
    link("/etc", "run/etc");
    link("../run/systemd/resolv.conf", "etc/resolv.conf");
    link("deep/../file", "etc/via-dots");
  }

  stdfs::path root() const { return temp_.path() / "root"; }
  void write(const std::string& path, std::string_view text) const { std::ofstream(root() / path) << text; }
  void link(const std::string& target, const std::string& path) const { stdfs::create_symlink(target, root() / path); }

  static std::string content(UniqueFd fd) {
    FdSource source(std::move(fd), "test");
    return read_all(source);
  }

  TempDir temp_;
};

TEST_F(RootedDirTest, KernelAndFallbackAgree) {
  const RootedDir rooted(root());
  struct Row {
    const char* path;
    int flags;
    bool links_allowed;
  };
  const Row rows[] = {
      {"etc/file", O_RDONLY, true},
      {"/etc/file", O_RDONLY, true},
      {"absolute", O_RDONLY, true},
      {"absolute", O_RDONLY, false},
      {"up", O_RDONLY, true},
      {"etc/deep/up", O_RDONLY, true},
      {"abs-secret", O_RDONLY, true},
      {"loop", O_RDONLY, true},
      {"run/etc/file", O_RDONLY, true},
      {"run/etc/file", O_RDONLY, false},
      {"etc/via-dots", O_RDONLY, true},
      {"../secret", O_RDONLY, true},
      {"etc/../../secret", O_RDONLY, true},
      {"etc/file/x", O_RDONLY, true},
      {"missing/x", O_RDONLY, true},
      {"absolute", O_RDONLY | O_NOFOLLOW, true},
      {"absolute", O_PATH | O_NOFOLLOW, true},
      {"absolute", O_PATH | O_NOFOLLOW, false},
      {"", O_RDONLY | O_DIRECTORY, true},
      {".", O_PATH, true},
      {"..", O_PATH, true},
      {"run/etc/", O_PATH, true},
      {"run/etc/.", O_PATH, false},
      {"etc/file", O_RDONLY | O_DIRECTORY, true},
      {"etc/resolv.conf", O_RDONLY, true},
  };
  for (const Row& row : rows) {
    int kernel_error = 0;
    struct stat kernel_info {};
    try {
      const UniqueFd fd =
          row.links_allowed ? rooted.open(row.path, row.flags) : rooted.open_no_symlinks(row.path, row.flags);
      ASSERT_EQ(::fstat(fd.get(), &kernel_info), 0);
    } catch (const Error&) {
      kernel_error = 1;
    }
    const OpenResult fallback = RootWalk(rooted.fd(), row.links_allowed).open(row.path, row.flags, 0);
    EXPECT_EQ(!fallback.fd, kernel_error != 0) << row.path << " flags " << row.flags;
    if (!fallback.fd || kernel_error != 0) continue;
    struct stat info {};
    ASSERT_EQ(::fstat(fallback.fd.get(), &info), 0);
    EXPECT_EQ(info.st_ino, kernel_info.st_ino) << row.path;
  }
}

TEST_F(RootedDirTest, LinksCanNotLeaveTheRoot) {
  const RootedDir rooted(root());
  EXPECT_EQ(content(rooted.open("absolute", O_RDONLY)), "inside");
  for (const char* path : {"up", "etc/deep/up", "abs-secret", "../secret"}) {
    EXPECT_EQ(rooted.try_open(path, O_RDONLY).error_number, ENOENT) << path;
    EXPECT_EQ(RootWalk(rooted.fd()).open(path, O_RDONLY, 0).error_number, ENOENT) << path;
  }
}

TEST_F(RootedDirTest, SymlinkFailuresCarryTheRightErrno) {
  const RootedDir rooted(root());
  EXPECT_EQ(rooted.try_open("loop", O_RDONLY).error_number, ELOOP);
  EXPECT_EQ(RootWalk(rooted.fd()).open("loop", O_RDONLY, 0).error_number, ELOOP);
  EXPECT_EQ(RootWalk(rooted.fd(), false).open("run/etc/file", O_RDONLY, 0).error_number, ELOOP);
  EXPECT_EQ(rooted.try_open(std::string_view("etc/file\0x", 10), O_RDONLY).error_number, EINVAL);
  try {
    rooted.open_no_symlinks("run/etc/file", O_RDONLY);
    FAIL() << "a symlink was followed";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("root/run/etc/file"));
  }
}

TEST_F(RootedDirTest, CreatesFilesInBothWays) {
  const RootedDir rooted(root());
  write_fully(rooted.open("run/etc/new", O_WRONLY | O_CREAT | O_EXCL, 0640).get(), as_byte_span("a"), "new");
  EXPECT_TRUE(stdfs::exists(root() / "etc/new"));
  const OpenResult result = RootWalk(rooted.fd()).open("run/etc/new2", O_WRONLY | O_CREAT | O_EXCL, 0600);
  ASSERT_TRUE(result.fd);
  EXPECT_TRUE(stdfs::exists(root() / "etc/new2"));
}

TEST_F(RootedDirTest, OpenParentGivesTheDirectory) {
  const RootedDir rooted(root());
  const UniqueFd parent = rooted.open_parent("etc/file");
  struct stat info {};
  EXPECT_EQ(::fstatat(parent.get(), "file", &info, AT_SYMLINK_NOFOLLOW), 0);
  const UniqueFd top = rooted.open_parent("etc/");
  EXPECT_EQ(::fstatat(top.get(), "run", &info, 0), 0);
  EXPECT_THROW(rooted.open_parent("run/etc/file"), Error);
}

TEST_F(RootedDirTest, OpenSourceReadsRegularFilesOnly) {
  const RootedDir rooted(root());
  EXPECT_EQ(read_all(*rooted.open_source("etc/file")), "inside");
  ASSERT_EQ(::mkfifo((root() / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(rooted.open_source("fifo"), Error);
  EXPECT_THROW(rooted.open_source("etc"), Error);
  EXPECT_THROW(rooted.open_source("absolute"), Error);
}

TEST_F(RootedDirTest, ReadInsideNeverLeavesTheRoot) {
  constexpr std::size_t k_limit = 6;
  for (const char* path : {"etc/file", "absolute", "run/etc/file"}) {
    EXPECT_EQ(read_inside(root(), path, k_limit), "inside") << path;
  }
  ASSERT_EQ(::mkfifo((root() / "fifo").c_str(), 0600), 0);
  for (const char* path : {"up", "abs-secret", "../secret", "loop", "etc", "etc/file/x", "none", "fifo"}) {
    EXPECT_EQ(read_inside(root(), path, k_limit), std::nullopt) << path;
  }
  EXPECT_THROW(read_inside(root(), "etc/file", k_limit - 1), Error);
}

TEST_F(RootedDirTest, ResolveSaysWhereAFileWouldBeCreated) {
  const RootedDir rooted(root());
  EXPECT_EQ(rooted.resolve("etc/resolv.conf"), "run/systemd/resolv.conf");
  EXPECT_EQ(rooted.resolve("/run/etc/file"), "etc/file");
  EXPECT_EQ(rooted.resolve("run/etc/none/./a/../b"), "etc/none/b");
  EXPECT_EQ(rooted.resolve("up"), "secret");
  EXPECT_EQ(rooted.resolve("/"), "");
  EXPECT_EQ(rooted.resolve("etc/.."), "");
  EXPECT_THROW(rooted.resolve("loop"), Error);
}

TEST(RootedDir, NamesTheMissingRoot) {
  const TempDir temp;
  EXPECT_THROW(RootedDir(temp.path() / "none"), Error);
}

}  // namespace
}  // namespace tektii::fs
