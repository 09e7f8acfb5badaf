#include "ns_fixture.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/stat.h>

#include <string>

namespace tektii::exec {
namespace {

namespace stdfs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// Commands whose root is a plain directory.
class RootDirTest : public NsTest {
 protected:
  void SetUp() override {
    NsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    root_ = temp_.path() / "root";
    stdfs::copy(tools(), root_, stdfs::copy_options::recursive | stdfs::copy_options::copy_symlinks);
    stdfs::permissions(root_, stdfs::perms(0755));
    rootfs_.lower_dirs.clear();
    rootfs_.upper_dir.clear();
    rootfs_.root_dir = root_;
  }

  // Everything but ctimes.
  std::string state() const {
    std::string text;
    fs::walk_tree(root_, {}, [&](const fs::WalkEntry& entry) {
      text += fmt::format("{} {} {:o} {}:{} {} {} {}\n", entry.path, static_cast<int>(entry.metadata.type),
                          entry.metadata.mode, entry.metadata.uid, entry.metadata.gid, entry.inode, entry.link_count,
                          entry.mtime_nanoseconds);
      return fs::WalkAction::keep_going;
    });
    struct stat info {};
    EXPECT_EQ(::stat(root_.c_str(), &info), 0);
    return text + fmt::format("{}.{}", info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }

  stdfs::path root_;
};

TEST_F(RootDirTest, ACommandThatChangesNothingLeavesNothing) {
  const std::string before = state();
  const RunResult result = run("cat /etc/hosts /etc/resolv.conf >/dev/null && ls /proc/self /sys /dev/null >/dev/null");
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_EQ(state(), before);
}

TEST_F(RootDirTest, WhatACommandChangesIsInTheDirectory) {
  EXPECT_TRUE(run("echo hi >/etc/new; rm /etc/keep; mv /etc/passwd /etc/users; chown 5:6 /etc/users").status.success());
  EXPECT_EQ(read_file(root_ / "etc/new"), "hi\n");
  EXPECT_FALSE(stdfs::exists(root_ / "etc/keep"));
  EXPECT_FALSE(stdfs::exists(root_ / "etc/hosts"));
  EXPECT_FALSE(stdfs::exists(root_ / "proc"));
  struct stat info {};
  ASSERT_EQ(::stat((root_ / "etc/users").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 5U);
}

TEST_F(RootDirTest, FilesOfTheImageUnderMountPointsStay) {
  write_file_atomic(root_ / "etc/hosts", "of the image");
  stdfs::create_directories(root_ / "proc/own");
  const std::string before = state();
  EXPECT_TRUE(run("echo more >>/etc/hosts || true; ls /proc/1 >/dev/null").status.success());
  EXPECT_EQ(state(), before);
  EXPECT_EQ(read_file(root_ / "etc/hosts"), "of the image");
}

TEST_F(RootDirTest, TargetsOfMountsLeaveNothing) {
  const std::string before = state();
  const stdfs::path host = new_layer("host");
  write_file_atomic(host / "file", "of the host");
  RunSpec spec = shell("cat /a/b/c/file /deep/secret && echo x >/a/b/c/new && echo y >/t/scratch && ls /a/b");
  spec.mounts = {{"/a/b/c", HostSource{host}, false},
                 {"/t", TmpfsSource{}, false},
                 {"/deep/secret", SecretSource{Secret("hush"), 0400, 0, 0}, true}};
  const RunResult result = run(spec);
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_EQ(result.out, "of the hosthushc\n");
  EXPECT_EQ(read_file(host / "new"), "x\n");
  EXPECT_EQ(state(), before);
}

TEST_F(RootDirTest, WhatIsWrittenBesideAMountPointStaysWithItsDirectory) {
  RunSpec spec = shell("echo x >/a/mine; mkdir /b/mine; rmdir /b/mine; chmod 700 /c");
  spec.mounts = {{"/a/m", TmpfsSource{}, false},
                 {"/b/m", TmpfsSource{}, false},
                 {"/c/m", TmpfsSource{}, false},
                 {"/d/m", TmpfsSource{}, false}};
  EXPECT_TRUE(run(spec).status.success());
  EXPECT_EQ(read_file(root_ / "a/mine"), "x\n");
  EXPECT_FALSE(stdfs::exists(root_ / "a/m"));
  EXPECT_TRUE(stdfs::exists(root_ / "b"));  // as by overlayfs, where it was copied up
  EXPECT_TRUE(stdfs::exists(root_ / "c"));
  EXPECT_TRUE(stdfs::is_empty(root_ / "c"));
  EXPECT_FALSE(stdfs::exists(root_ / "d"));
}

TEST_F(RootDirTest, MountPointsThroughSymlinks) {
  stdfs::create_symlink("../run/resolve/stub.conf", root_ / "etc/resolv.conf");
  stdfs::create_directory_symlink("/elsewhere", root_ / "link");
  const std::string before = state();
  RunSpec spec = shell("cat /etc/resolv.conf >/dev/null && ls -d /elsewhere/m");
  spec.mounts = {{"/link/m", TmpfsSource{}, false}};
  const RunResult result = run(spec);
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_EQ(state(), before);
}

// A command may put a link where a directory above a mount point was; removing must not follow it.
TEST_F(RootDirTest, ALinkInTheWayIsNotFollowedWhenMountPointsAreRemoved) {
  const stdfs::path outside = new_layer("outside");
  stdfs::create_directory(outside / "m");
  RunSpec spec = shell("mv /a /moved && ln -s " + outside.string() + " /a");
  spec.mounts = {{"/a/m", TmpfsSource{}, false}};
  run(spec);
  EXPECT_TRUE(stdfs::exists(outside / "m"));
}

TEST_F(RootDirTest, FileAndDirectoryDoNotFitOnEachOther) {
  const std::string before = state();
  RunSpec spec = shell("true");
  spec.mounts = {{"/a/m", TmpfsSource{}, false}, {"/etc/keep", TmpfsSource{}, false}};
  try {
    run(spec);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/etc/keep"));
  }
  EXPECT_EQ(state(), before);
}

TEST_F(RootDirTest, DeviceNodesOfTheTreeAreOfNoUse) {
  const RunResult result = run("mknod /tmp/null c 1 3 && cat /tmp/null");
  EXPECT_FALSE(result.status.success());
}

TEST_F(RootDirTest, MissingWorkingDirectoryStays) {
  RunSpec spec = shell("pwd");
  spec.working_dir = "/srv/deep";
  spec.uid = 1000;
  EXPECT_EQ(run(spec).out, "/srv/deep\n");
  struct stat info {};
  ASSERT_EQ(::stat((root_ / "srv/deep").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1000U);
}

TEST_F(RootDirTest, AFailedCommandLeavesNoMountPoint) {
  EXPECT_EQ(run("exit 3").status.exit_code, 3);
  EXPECT_FALSE(stdfs::exists(root_ / "proc"));
}

TEST(ProbeOverlayTest, LeavesNothing) {
  const TempDir directory;
  (void)probe_overlay(directory.path());
  EXPECT_TRUE(stdfs::is_empty(directory.path()));
}

}  // namespace
}  // namespace tektii::exec
