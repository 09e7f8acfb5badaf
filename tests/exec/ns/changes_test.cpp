#include "ns_fixture.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

namespace tektii::exec {
namespace {

namespace stdfs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct stat stat_of(const stdfs::path& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

bool is_whiteout(const stdfs::path& path) {
  const struct stat info = stat_of(path);
  return S_ISCHR(info.st_mode) && info.st_rdev == 0;
}

class ChangesTest : public NsTest {
 protected:
  // The script runs over a layer that `prepare` fills, above the tools.
  stdfs::path add_layer(const std::string& name) {
    const stdfs::path layer = new_layer(name);
    stdfs::permissions(layer, stdfs::perms(0755));
    rootfs_.lower_dirs.insert(rootfs_.lower_dirs.begin(), layer);
    return layer;
  }
};

TEST_F(ChangesTest, ACommandThatChangesNothingLeavesNothing) {
  EXPECT_TRUE(run("ls -lR /etc >/dev/null; cat /etc/hosts /etc/resolv.conf >/dev/null").status.success());
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(ChangesTest, HoldsWhatWasCreatedDeletedAndRenamed) {
  const RunResult result =
      run("mkdir -p /new/dir && echo hi >/new/dir/file && chown 1000:1001 /new/dir/file && chmod 4750 /new/dir/file &&"
          "rm /etc/keep && mv /etc/passwd /etc/users && ln -s /abs /link && chmod 000 /new");
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_THAT(changes(),
              ElementsAre("etc/", "etc/keep", "etc/passwd", "etc/users", "link", "new/", "new/dir/", "new/dir/file"));
  EXPECT_TRUE(is_whiteout(upper() / "etc/keep"));
  EXPECT_TRUE(is_whiteout(upper() / "etc/passwd"));
  const struct stat info = stat_of(upper() / "new/dir/file");
  EXPECT_EQ(info.st_uid, 1000U);
  EXPECT_EQ(info.st_gid, 1001U);
  EXPECT_EQ(info.st_mode & 07777, 04750U);
}

TEST_F(ChangesTest, ReplacedDirectoriesAreOpaqueByAUserAttribute) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "data/sub");
  EXPECT_TRUE(run("rm -r /data && mkdir /data && touch /data/x").status.success());
  std::array<char, 4> value{};
  EXPECT_EQ(::lgetxattr((upper() / "data").c_str(), "user.overlay.opaque", value.data(), value.size()), 1);
  EXPECT_EQ(value[0], 'y');
}

TEST_F(ChangesTest, DirectoryMovesFallBackToCopies) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "data/sub");
  std::ofstream(layer / "data/sub/file") << "x";
  EXPECT_TRUE(run("mv /data /moved").status.success());
  EXPECT_THAT(changes(), ElementsAre("data", "moved/", "moved/sub/", "moved/sub/file"));
}

TEST_F(ChangesTest, FromScratchOnlyTheToolsWorkIsLeft) {
  const stdfs::path layer = new_layer("scratch");
  stdfs::permissions(layer, stdfs::perms(0755));
  stdfs::copy_file(TEKTII_STATIC_TOOL, layer / "tool");
  rootfs_.lower_dirs = {layer};
  RunSpec spec;
  spec.argv = {"/tool", "mkdir", "/made"};
  EXPECT_TRUE(run(spec).status.success());
  EXPECT_THAT(changes(), ElementsAre("made/"));
  new_upper();
  spec.argv = {"/tool", "write", "/etc/file", "text"};
  EXPECT_TRUE(run(spec).status.success());
  EXPECT_THAT(changes(), ElementsAre("etc/", "etc/file"));
  EXPECT_EQ(stat_of(upper() / "etc").st_mode & 07777, 0755U);
  EXPECT_EQ(stat_of(upper() / "etc").st_uid, 0U);
  new_upper();
  spec.argv = {"/tool", "exit", "7"};
  EXPECT_EQ(run(spec).status.exit_code, 7);
}

// How an image may have (or not have) the files that are mounted over; the layer must stay as it is in every case.
TEST_F(ChangesTest, AbsoluteDanglingResolverLinkIsKept) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "etc");
  stdfs::create_symlink("/run/systemd/resolve/stub-resolv.conf", layer / "etc/resolv.conf");
  const RunResult result = run("readlink /etc/resolv.conf; cat /etc/resolv.conf; touch /etc/new");
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_THAT(result.out, testing::StartsWith("/run/systemd/resolve/stub-resolv.conf\n"));
  EXPECT_THAT(changes(), ElementsAre("etc/", "etc/new"));
  EXPECT_FALSE(stdfs::exists("/run/systemd/resolve/stub-resolv.conf.tektii"));
}

TEST_F(ChangesTest, RelativeResolverLinkIntoAnExistingDirectoryIsKept) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "etc");
  stdfs::create_directories(layer / "run/sub");
  stdfs::permissions(layer / "run/sub", stdfs::perms(0751));
  ASSERT_EQ(::chown((layer / "run/sub").c_str(), 12, 34), 0);
  stdfs::last_write_time(layer / "run/sub", stdfs::file_time_type(std::chrono::hours(24 * 365)));
  const timespec before = stat_of(layer / "run/sub").st_mtim;
  stdfs::create_symlink("../run/sub/resolv.conf", layer / "etc/resolv.conf");
  const RunResult result =
      run("cat /etc/resolv.conf >/dev/null && stat -c '%u:%g %a' /run/sub; stat -c %Y /run/sub; chmod 700 /run/sub");
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_EQ(result.out, fmt::format("12:34 751\n{}\n", before.tv_sec));
  EXPECT_THAT(changes(), ElementsAre("run/", "run/sub/"));
  const struct stat after = stat_of(upper() / "run/sub");
  EXPECT_EQ(after.st_mode & 07777, 0700U);
  EXPECT_EQ(after.st_uid, 12U);
  EXPECT_EQ(after.st_mtim.tv_sec, before.tv_sec);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.tv_nsec);
}

TEST_F(ChangesTest, WhiteoutsAndOpaqueDirectoriesOfTheImageStay) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "etc");
  stdfs::permissions(layer / "etc", stdfs::perms(0711));
  ASSERT_EQ(::setxattr((layer / "etc").c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  ASSERT_EQ(::setxattr((layer / "etc").c_str(), "user.mine", "v", 1, 0), 0);
  ASSERT_EQ(::mknod((layer / "proc").c_str(), S_IFCHR, 0), 0);
  const RunResult result = run("stat -c %a /etc; ls -A /etc; ls -d /proc/self; touch /etc/new");
  EXPECT_TRUE(result.status.success()) << result.err;
  EXPECT_EQ(result.out, "711\nhosts\nresolv.conf\n/proc/self\n");
  EXPECT_THAT(changes(), ElementsAre("etc/", "etc/new"));
  std::array<char, 4> value{};
  EXPECT_EQ(::lgetxattr((upper() / "etc").c_str(), "user.mine", value.data(), value.size()), 1);
}

TEST_F(ChangesTest, ALinkToTheHostsRootIsResolvedInTheImage) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "etc");
  stdfs::create_symlink("../../../../../../../../host-resolv.conf", layer / "etc/resolv.conf");
  EXPECT_TRUE(run("cat /host-resolv.conf").status.success());
  EXPECT_FALSE(stdfs::exists("/host-resolv.conf"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(ChangesTest, AFileInTheWayIsAClearError) {
  const stdfs::path layer = add_layer("layer");
  std::ofstream(layer / "proc") << "not a directory";
  try {
    run("true");
    FAIL() << "/proc was mounted over a file";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "can't prepare a mount point: /proc: Not a directory");
  }
}

TEST_F(ChangesTest, AResolverLoopIsAClearError) {
  const stdfs::path layer = add_layer("layer");
  stdfs::create_directories(layer / "etc");
  stdfs::create_symlink("resolv.conf", layer / "etc/resolv.conf");
  EXPECT_THROW(run("true"), Error);
}

TEST_F(ChangesTest, StacksManyLayersWithAwkwardNames) {
  std::vector<stdfs::path> layers;
  for (int i = 0; i < 150; ++i) {
    const stdfs::path layer = new_layer(fmt::format("a:layer,with\\odd=chars {:04} {}", i, std::string(120, 'n')));
    stdfs::permissions(layer, stdfs::perms(0755));
    std::ofstream(layer / fmt::format("file{}", i)) << i;
    std::ofstream(layer / "top") << i;
    layers.push_back(layer);
  }
  layers.push_back(tools());
  rootfs_.lower_dirs = layers;
  const RunResult result =
      run("cat /file0 /file149 /top; ls -d /file* | { n=0; while read x; do n=$((n+1)); done; echo /$n; }");
  EXPECT_EQ(result.out, "01490/150\n") << result.err;
}

TEST_F(ChangesTest, TooManyLayersAreRefusedByTheirNumber) {
  rootfs_.lower_dirs.assign(499, tools());
  try {
    run("true");
    FAIL() << "499 layers were accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("499 layers"));
  }
}

TEST_F(ChangesTest, FilesHaveOneDeviceNumber) {
  const RunResult result = run("touch /new; stat -c %d / /etc /etc/keep /new /bin/sh");
  const std::string first = result.out.substr(0, result.out.find('\n') + 1);
  EXPECT_EQ(result.out, first + first + first + first + first);
}

TEST_F(ChangesTest, APrivateUpperDirectoryIsOpenedForOtherUsers) {
  stdfs::permissions(upper(), stdfs::perms(0700));
  RunSpec spec = shell("cat /etc/keep");
  spec.uid = 1000;
  spec.gid = 1000;
  EXPECT_EQ(run(spec).out, "kept");
  EXPECT_EQ(stat_of(upper()).st_mode & 07777, 0755U);
}

}  // namespace
}  // namespace tektii::exec
