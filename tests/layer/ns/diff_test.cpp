#include "layer/ns/ns_test.hpp"
#include "layer/support.hpp"
#include <tektii/layer/diff.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace stdfs = std::filesystem;

constexpr std::int64_t k_clamp = 1600000000;
const std::string k_capability("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);

std::string listing(const stdfs::path& root) {
  const TempDir directory;
  const stdfs::path out = directory.path() / "out";
  const std::string command = "cd '" + root.string() +
                              "' && find . -printf '%P %y %m %U:%G %T@ %l\\n' | LC_ALL=C sort > '" + out.string() +
                              "' && find . -type f -printf '%P %n\\n' | LC_ALL=C sort >> '" + out.string() +
                              "' && find . -type f -exec sha256sum {} + | LC_ALL=C sort >> '" + out.string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return read_file(out);
}

// A base layer, a real overlay mount over it, and commands that change it.
class DiffTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    writer.add("bin", symlink_metadata("usr/bin"), {});
    writer.add("etc", directory_metadata(), {});
    writer.add("etc/motd", file_metadata(5), content("hello"));
    writer.add("etc/passwd", file_metadata(7), content("root:x\n"));
    writer.add("tmp", directory_metadata(01777), {});
    writer.add("usr", directory_metadata(), {});
    writer.add("usr/bin", directory_metadata(), {});
    fs::FileMetadata ping = file_metadata(4, 0755);
    ping.xattrs["security.capability"] = k_capability;
    writer.add("usr/bin/ping", ping, content("ping"));
    writer.add("usr/share", directory_metadata(), {});
    writer.add("usr/share/a", directory_metadata(), {});
    writer.add("usr/share/a/one", file_metadata(1), content("1"));
    writer.add("usr/share/a/sub", directory_metadata(), {});
    writer.add("usr/share/a/sub/deep", file_metadata(1), content("d"));
    writer.add("usr/share/a/two", file_metadata(1), content("2"));
    const WrittenLayer base = writer.commit();
    base_ = snapshots_.directory(base.layer, {});
    tree_.apply(base.index, base.layer.diff_id);
  }

  // Runs a shell script in the merged directory, then unmounts.
  void change(const std::string& script) {
    const stdfs::path merged = mount_point_.path();
    const std::string options = "lowerdir=" + base_.string() + ",upperdir=" + workspace_.upper().string() +
                                ",workdir=" + workspace_.work().string() + ",userxattr";
    if (::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()) != 0) {
      GTEST_SKIP() << "overlayfs can't be mounted here: " << std::strerror(errno);
    }
    const int status = std::system(("set -e; cd '" + merged.string() + "'; " + script).c_str());
    ASSERT_EQ(::umount2(merged.c_str(), MNT_DETACH), 0);
    ASSERT_EQ(status, 0);
  }

  WrittenLayer diff(const DiffOptions& options = {k_clamp}) {
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    diff_to_layer(workspace_.upper(), tree_, {base_}, options, writer, {});
    return writer.commit();
  }

  std::vector<std::string> diff_of(const std::string& script) {
    change(script);
    if (IsSkipped() || HasFatalFailure()) return {};
    return describe(diff().index);
  }

  // All that is seen when the directory is mounted over the base.
  std::string merged_listing(const stdfs::path& top) const {
    const std::string options = "lowerdir=" + top.string() + ":" + base_.string() + ",userxattr";
    EXPECT_EQ(::mount("overlay", mount_point_.path().c_str(), "overlay", MS_RDONLY, options.c_str()), 0);
    const std::string result = listing(mount_point_.path());
    EXPECT_EQ(::umount2(mount_point_.path().c_str(), MNT_DETACH), 0);
    return result.substr(result.find('\n'));  // the time of the root is no part of a layer
  }

  MemoryStore store_;
  TempDir root_;
  TempDir mount_point_;
  Snapshots snapshots_{root_.path(), store_};
  OverlayWorkspace workspace_{snapshots_.make_workspace()};
  stdfs::path base_;
  FileTree tree_;
};

TEST_F(DiffTest, NothingChanged) {
  EXPECT_THAT(diff_of("true"), IsEmpty());
}

TEST_F(DiffTest, CreatedFilesBringTheirParents) {
  EXPECT_THAT(diff_of("mkdir -m 700 usr/share/b; printf x > usr/share/b/new; chmod 600 usr/share/b/new; "
                      "ln -s target usr/share/b/link; chown 5:6 usr/share/b/new"),
              ElementsAre("d 755 0:0 usr", "d 755 0:0 usr/share", "d 700 0:0 usr/share/b",
                          "l usr/share/b/link -> target", "f 600 5:6 1 usr/share/b/new"));
}

TEST_F(DiffTest, DeletedFilesBecomeWhiteouts) {
  EXPECT_THAT(diff_of("rm etc/motd; rm -r usr/share/a"),
              ElementsAre("d 755 0:0 etc", "w etc/motd", "d 755 0:0 usr", "d 755 0:0 usr/share", "w usr/share/a"));
}

TEST_F(DiffTest, ARenameIsADeleteAndACreate) {
  EXPECT_THAT(diff_of("mv etc/motd etc/issue"), ElementsAre("d 755 0:0 etc", "f 644 0:0 5 etc/issue", "w etc/motd"));
}

TEST_F(DiffTest, ARemadeDirectoryBecomesWhiteoutsOfWhatIsGone) {
  EXPECT_THAT(diff_of("rm -r usr/share/a; mkdir usr/share/a; printf 11 > usr/share/a/one; mkdir usr/share/a/sub; "
                      "printf n > usr/share/a/three"),
              ElementsAre("d 755 0:0 usr", "d 755 0:0 usr/share", "d 755 0:0 usr/share/a",
                          "f 644 0:0 2 usr/share/a/one", "d 755 0:0 usr/share/a/sub", "w usr/share/a/sub/deep",
                          "f 644 0:0 1 usr/share/a/three", "w usr/share/a/two"));
}

TEST_F(DiffTest, TypesReplaceEachOther) {
  EXPECT_THAT(diff_of("rm -r usr/share/a; printf f > usr/share/a; rm etc/motd; mkdir etc/motd; printf x > etc/motd/x; "
                      "rm bin; mkdir bin"),
              ElementsAre("d 755 0:0 bin", "d 755 0:0 etc", "d 755 0:0 etc/motd", "f 644 0:0 1 etc/motd/x",
                          "d 755 0:0 usr", "d 755 0:0 usr/share", "f 644 0:0 1 usr/share/a"));
}

TEST_F(DiffTest, HardLinksStayLinks) {
  EXPECT_THAT(
      diff_of("printf x > tmp/b; ln tmp/b tmp/a; ln tmp/b etc/c"),
      ElementsAre("d 755 0:0 etc", "f 644 0:0 1 etc/c", "d 1777 0:0 tmp", "h tmp/a => etc/c", "h tmp/b => etc/c"));
}

TEST_F(DiffTest, ALinkToAnOldFileBringsTheFile) {
  EXPECT_THAT(diff_of("ln etc/motd etc/zz"),
              ElementsAre("d 755 0:0 etc", "f 644 0:0 5 etc/motd", "h etc/zz => etc/motd"));
}

TEST_F(DiffTest, CapabilitiesAreKept) {
  change("cp --preserve=all usr/bin/ping usr/bin/ping2; setfattr --version > /dev/null 2>&1 || true");
  if (IsSkipped()) return;
  ASSERT_EQ(::setxattr((workspace_.upper() / "usr/bin/ping2").c_str(), "security.capability", k_capability.data(),
                       k_capability.size(), 0),
            0);
  const WrittenLayer layer = diff();
  ASSERT_THAT(describe(layer.index), ElementsAre("d 755 0:0 usr", "d 755 0:0 usr/bin", "f 755 0:0 4 usr/bin/ping2"));
  EXPECT_EQ(layer.index.entries[2].metadata.xattrs.at("security.capability"), k_capability);
  EXPECT_THAT(layer.index.entries[1].metadata.xattrs, IsEmpty());
}

TEST_F(DiffTest, AChangeOfModeAloneIsAChange) {
  EXPECT_THAT(diff_of("chmod 600 etc/motd"), ElementsAre("d 755 0:0 etc", "f 600 0:0 5 etc/motd"));
}

TEST_F(DiffTest, AChangedDirectoryIsWrittenAlone) {
  EXPECT_THAT(diff_of("chmod 700 usr/share/a"),
              ElementsAre("d 755 0:0 usr", "d 755 0:0 usr/share", "d 700 0:0 usr/share/a"));
}

TEST_F(DiffTest, WhatIsCopiedUpAndUnchangedIsLeftOut) {
  // chmod there and back copies the file up; a file that came and went leaves a new time on its directory.
  EXPECT_THAT(diff_of("chmod 600 etc/motd; chmod 644 etc/motd; chmod 700 usr/bin/ping; chmod 755 usr/bin/ping; "
                      "printf x > tmp/gone; rm tmp/gone"),
              IsEmpty());
  ASSERT_TRUE(stdfs::exists(workspace_.upper() / "etc/motd"));
  struct stat status {};
  ASSERT_EQ(::stat((workspace_.upper() / "tmp").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1000);  // as a fresh unpack would have it
}

TEST_F(DiffTest, SameSizeAndTimeButOtherBytesIsAChange) {
  EXPECT_THAT(diff_of("printf HELLO > etc/motd; touch -d @1000 etc/motd"),
              ElementsAre("d 755 0:0 etc", "f 644 0:0 5 etc/motd"));
}

TEST_F(DiffTest, SocketsAreLeftOut) {
  EXPECT_THAT(diff_of("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"tmp/s\")'"), IsEmpty());
}

TEST_F(DiffTest, TimesAreClampedInTheLayerAndOnDisk) {
  change("printf x > etc/new; printf x > etc/old; touch -d @5 etc/old; ln -s x etc/link");
  if (IsSkipped()) return;
  const WrittenLayer layer = diff();
  for (const LayerEntry& entry : layer.index.entries) {
    EXPECT_EQ(entry.metadata.mtime, entry.path == "etc/old" ? 5 : k_clamp) << entry.path;
    struct stat status {};
    ASSERT_EQ(::lstat((workspace_.upper() / entry.path).c_str(), &status), 0);
    EXPECT_EQ(status.st_mtim.tv_sec, entry.metadata.mtime) << entry.path;
    EXPECT_EQ(status.st_mtim.tv_nsec, 0) << entry.path;
  }
}

TEST_F(DiffTest, WithoutAClampTimesStay) {
  change("printf x > etc/new");
  if (IsSkipped()) return;
  for (const LayerEntry& entry : diff({}).index.entries) EXPECT_GT(entry.metadata.mtime, k_clamp) << entry.path;
}

TEST_F(DiffTest, PartialCopiesAreRefused) {
  ASSERT_TRUE(stdfs::create_directory(workspace_.upper() / "d"));
  ASSERT_EQ(::setxattr((workspace_.upper() / "d").c_str(), "user.overlay.redirect", "/etc", 4, 0), 0);
  EXPECT_THAT(error_of([&] { diff(); }), HasSubstr("redirect_dir"));
}

struct Rename {
  const char* name;
  const char* script;
  std::vector<std::string> entries;
};

// rename(2) of what a lower layer has. overlayfs refuses directories (EXDEV, without redirect_dir), so mv copies them
// and removes the old ones; directories that were made above are renamed, and may become opaque by that.
class RenameTest : public DiffTest, public ::testing::WithParamInterface<Rename> {};

TEST_P(RenameTest, IsInTheLayerAsItIsInTheTree) {
  ASSERT_NO_FATAL_FAILURE(change(GetParam().script));
  if (IsSkipped()) return;
  const WrittenLayer layer = diff();
  EXPECT_THAT(describe(layer.index), ElementsAreArray(GetParam().entries));
  EXPECT_EQ(merged_listing(snapshots_.directory(layer.layer, {})), merged_listing(workspace_.upper()));
  // What comes next sees the same, without unpacking.
  FileTree next = tree_;
  next.apply(layer.index, layer.layer.diff_id);
  for (const auto& entry : layer.index.entries) {
    EXPECT_EQ(next.find(entry.path) == nullptr, entry.kind == LayerEntry::Kind::whiteout) << entry.path;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, RenameTest,
    ::testing::Values(
        Rename{"directory",
               "python3 -c 'import os; os.rename(\"usr/share/a\", \"usr/share/b\")' 2>&1 | grep -q 'Invalid cross'; "
               "mv usr/share/a usr/share/b",
               {"d 755 0:0 usr", "d 755 0:0 usr/share", "w usr/share/a", "d 755 0:0 usr/share/b",
                "f 644 0:0 1 usr/share/b/one", "d 755 0:0 usr/share/b/sub", "f 644 0:0 1 usr/share/b/sub/deep",
                "f 644 0:0 1 usr/share/b/two"}},
        Rename{"new_directory_in_place_of_a_lower_one",
               "mkdir -p opt/sub; printf n > opt/one; printf q > opt/sub/q; rm -r usr/share/a; mv -T opt usr/share/a",
               {"d 755 0:0 usr", "d 755 0:0 usr/share", "d 755 0:0 usr/share/a", "f 644 0:0 1 usr/share/a/one",
                "d 755 0:0 usr/share/a/sub", "w usr/share/a/sub/deep", "f 644 0:0 1 usr/share/a/sub/q",
                "w usr/share/a/two"}},
        Rename{
            "lower_directory_in_place_of_a_lower_one",
            "rm -r usr/share/a; mv -T etc usr/share/a",
            {"w etc", "d 755 0:0 usr", "d 755 0:0 usr/share", "d 755 0:0 usr/share/a", "f 644 0:0 5 usr/share/a/motd",
             "w usr/share/a/one", "f 644 0:0 7 usr/share/a/passwd", "w usr/share/a/sub", "w usr/share/a/two"}},
        // rename(2) itself takes the place of a directory that is empty, but was not below.
        Rename{"new_directory_over_an_emptied_one",
               "rm usr/share/a/sub/deep; mkdir opt; printf z > opt/z; "
               "python3 -c 'import os; os.rename(\"opt\", \"usr/share/a/sub\")'",
               {"d 755 0:0 usr", "d 755 0:0 usr/share", "d 755 0:0 usr/share/a", "d 755 0:0 usr/share/a/sub",
                "w usr/share/a/sub/deep", "f 644 0:0 1 usr/share/a/sub/z"}},
        Rename{"two_directories_that_change_places",
               "mv usr/share/a usr/share/t; mv etc usr/share/a; mv usr/share/t etc",
               {"d 755 0:0 etc", "w etc/motd", "f 644 0:0 1 etc/one", "w etc/passwd", "d 755 0:0 etc/sub",
                "f 644 0:0 1 etc/sub/deep", "f 644 0:0 1 etc/two", "d 755 0:0 usr", "d 755 0:0 usr/share",
                "d 755 0:0 usr/share/a", "f 644 0:0 5 usr/share/a/motd", "w usr/share/a/one",
                "f 644 0:0 7 usr/share/a/passwd", "w usr/share/a/sub", "w usr/share/a/two"}},
        Rename{"new_file_over_a_lower_one",
               "printf new > tmp/x; mv tmp/x etc/motd",
               {"d 755 0:0 etc", "f 644 0:0 3 etc/motd"}},
        Rename{"lower_file_over_a_lower_one",
               "mv etc/passwd etc/motd",
               {"d 755 0:0 etc", "f 644 0:0 7 etc/motd", "w etc/passwd"}},
        Rename{"lower_file_in_place_of_a_directory",
               "rm -r usr/share/a; mv etc/motd usr/share/a",
               {"d 755 0:0 etc", "w etc/motd", "d 755 0:0 usr", "d 755 0:0 usr/share", "f 644 0:0 5 usr/share/a"}},
        Rename{"lower_directory_in_place_of_a_file",
               "rm etc/motd; mv usr/share/a/sub etc/motd",
               {"d 755 0:0 etc", "d 755 0:0 etc/motd", "f 644 0:0 1 etc/motd/deep", "d 755 0:0 usr",
                "d 755 0:0 usr/share", "d 755 0:0 usr/share/a", "w usr/share/a/sub"}},
        Rename{"new_directory_with_a_lower_file_in_it",
               "mkdir opt; mv etc/motd opt/m; mv opt srv",
               {"d 755 0:0 etc", "w etc/motd", "d 755 0:0 srv", "f 644 0:0 5 srv/m"}},
        Rename{
            "there_and_back", "mv etc/motd tmp/m; mv tmp/m etc/motd; mv usr/share/a tmp/a; mv tmp/a usr/share/a", {}}),
    [](const auto& row) { return std::string(row.param.name); });

// The whole circle: base, change, diff, fresh unpack of the diff; mounted again it must show what the command left.
TEST_F(DiffTest, UnpackedDiffShowsTheSameTree) {
  change(
      "rm -r usr/share/a; mkdir usr/share/a; printf 11 > usr/share/a/one; mkdir -p usr/share/a/sub/x; rm etc/motd; "
      "printf y > tmp/l1; ln tmp/l1 tmp/l2; chmod 4711 usr/bin/ping; rm bin; printf b > bin; mkdir -m 1770 var; "
      "find . -newermt @2000 -exec touch -h -d @1500000000 {} +");
  if (IsSkipped()) return;
  const WrittenLayer layer = diff();
  const std::string fresh = merged_listing(snapshots_.directory(layer.layer, {}));
  EXPECT_EQ(fresh, merged_listing(workspace_.upper()));
  EXPECT_THAT(fresh, HasSubstr("usr/share/a/one f"));
  EXPECT_EQ(fresh.find("deep"), std::string::npos);

  FileTree next = tree_;
  next.apply(layer.index, layer.layer.diff_id);
  EXPECT_EQ(next.find("usr/share/a/sub/deep"), nullptr);
  EXPECT_NE(next.find("usr/share/a/sub/x"), nullptr);
  EXPECT_EQ(next.find("etc/motd"), nullptr);
  // The same change once more is no change.
  tree_ = next;
  LayerWriter writer(store_, {Compression::gzip, 1, 1});
  diff_to_layer(workspace_.upper(), tree_, {snapshots_.directory(layer.layer, {}), base_}, {k_clamp}, writer, {});
  EXPECT_TRUE(writer.empty()) << ::testing::PrintToString(describe(writer.commit().index));
}

TEST_F(DiffTest, IsReproducible) {
  const std::string script = "printf x > tmp/b; mkdir -p opt/a/b; rm -r usr/share/a; chmod 711 etc";
  change(script);
  if (IsSkipped()) return;
  const oci::Descriptor first = diff().layer.blob;
  EXPECT_EQ(diff().layer.blob, first);
  OverlayWorkspace again = snapshots_.make_workspace();
  EXPECT_EQ(std::system(("cp -a '" + workspace_.upper().string() + "/.' '" + again.upper().string() + "'").c_str()), 0);
  LayerWriter writer(store_, {Compression::gzip, 1, 2});
  diff_to_layer(again.upper(), tree_, {base_}, {k_clamp}, writer, {});
  EXPECT_EQ(writer.commit().layer.blob, first);
}

}  // namespace
}  // namespace tektii::layer
