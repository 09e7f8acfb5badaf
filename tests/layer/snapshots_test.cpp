#include "layer/support.hpp"
#include <tektii/layer/snapshots.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace stdfs = std::filesystem;

class SnapshotsTest : public ::testing::Test {
 protected:
  LayerIndex index_of(const std::string& tar) { return snapshots_.index(add_layer(store_, tar), {}); }

  MemoryStore store_;
  TempDir root_;
  Snapshots snapshots_{root_.path(), store_};
};

TEST_F(SnapshotsTest, NamesAreNormalised) {
  const LayerIndex index = index_of(raw_tar({{.name = "./", .type = '5', .mode = 0711},
                                             {.name = "./usr//bin/./a"},
                                             {.name = "/absolute"},
                                             {.name = "link", .type = '1', .link = "./usr/bin/a"}}));
  EXPECT_THAT(describe(index),
              ElementsAre("d 711 0:0 ", "f 644 0:0 0 absolute", "h link => usr/bin/a", "f 644 0:0 0 usr/bin/a"));
}

TEST_F(SnapshotsTest, WhiteoutsAreRecognised) {
  const LayerIndex index = index_of(raw_tar({{.name = "a/.wh.b"},
                                             {.name = ".wh.c"},
                                             {.name = "d/.wh..wh..opq"},
                                             {.name = ".wh..wh.plnk/4711.1"},
                                             {.name = ".wh..wh.aufs"},
                                             {.name = "not.wh.x"},
                                             {.name = "e/.wh..hidden"}}));
  EXPECT_THAT(describe(index), ElementsAre("w a/b", "w c", "o d", "w e/.hidden", "f 644 0:0 0 not.wh.x"));
}

TEST_F(SnapshotsTest, AttributesThatSteerOverlayfsAreDropped) {
  const LayerIndex index = index_of(raw_tar({{.name = "d",
                                              .type = '5',
                                              .pax = {{"SCHILY.xattr.user.overlay.redirect", "/etc"},
                                                      {"SCHILY.xattr.trusted.overlay.opaque", "y"},
                                                      {"SCHILY.xattr.user.keep", "1"}}}}));
  EXPECT_THAT(index.entries.at(0).metadata.xattrs,
              ElementsAre(std::pair<const std::string, std::string>("user.keep", "1")));
}

TEST_F(SnapshotsTest, HostileTarsAreRefused) {
  struct Case {
    std::vector<RawMember> members;
    const char* message;
  };
  const Case cases[] = {
      {{{.name = "../etc/passwd"}}, "entry \"../etc/passwd\" has \"..\" in its path"},
      {{{.name = "a/../../b"}}, "has \"..\""},
      {{{.name = "x", .pax = {{"path", "a/../../../b"}}}}, "has \"..\""},
      {{{.name = "x", .type = '1', .link = "../../etc/shadow"}}, "has \"..\""},
      {{{.name = "x", .type = '1', .link = "x"}}, "leads to itself"},
      {{{.name = "a/.wh."}}, "whiteout without a name"},
      {{{.name = "a/.wh.."}}, "whiteout without a name"},
      {{{.name = "a/.wh..."}}, "whiteout without a name"},
      {{{.name = ".wh.a/b"}}, "inside of a whiteout"},
      {{{.name = "x", .pax = {{"path", std::string(256, 'a')}}}}, "component above 255 bytes"},
      {{{.name = "x",
         .pax = {{"path",
                  [] {
                    std::string path;
                    for (int i = 0; i < 2100; ++i) path += "a/";
                    return path + "b";
                  }()}}}},
       "longer than 4096 bytes"},
      {{{.name = "x", .type = '2'}}, "empty or too long target"},
      {{{.name = "x", .pax = {{"uid", "4294967295"}}}}, "impossible owner"},
      {{{.name = "./", .type = '2', .link = "/etc"}}, "the root of the layer is not a directory"},
  };
  for (const Case& c : cases) {
    const std::string error = error_of([&] { index_of(raw_tar(c.members)); });
    EXPECT_THAT(error, HasSubstr(c.message));
    EXPECT_THAT(error, ::testing::StartsWith("layer "));
  }
}

// libarchive ends a name at a NUL, as the kernel does; what is after it can't reach a path.
TEST_F(SnapshotsTest, NothingAfterANulInANameIsUsed) {
  for (const std::string& path : {std::string("ok\0/../../evil", 14), std::string("\0evil", 5)}) {
    try {
      const LayerIndex index = index_of(raw_tar({{.name = "plain", .pax = {{"path", path}}}}));
      for (const LayerEntry& entry : index.entries) EXPECT_EQ(entry.path.find("evil"), std::string::npos) << entry.path;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("layer "));
    }
  }
}

TEST_F(SnapshotsTest, CorruptedBlobsAreFound) {
  LayerWriter writer(store_, {Compression::gzip, 1, 1});
  const std::string body(100000, 'x');
  writer.add("file", file_metadata(body.size()), content(body));
  const oci::Layer layer = writer.commit().layer;

  oci::Layer wrong = layer;
  wrong.diff_id = oci::Digest::of_bytes("something else");
  EXPECT_THAT(error_of([&] { snapshots_.index(wrong, {}); }),
              HasSubstr("does not match its diff_id: expected sha256:"));
  EXPECT_FALSE(snapshots_.has_index(wrong.diff_id));

  const std::string good = store_.bytes(layer.blob.digest);
  for (const std::size_t at : {std::size_t{20}, good.size() / 2, good.size() - 3}) {
    store_.corrupt(layer.blob.digest, [&](std::string& bytes) {
      bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    });
    EXPECT_THROW(snapshots_.index(layer, {}), Error) << at;
  }
  store_.corrupt(layer.blob.digest, [&](std::string& bytes) { bytes = good.substr(0, good.size() / 2); });
  EXPECT_THROW(snapshots_.index(layer, {}), Error);
  EXPECT_FALSE(snapshots_.has_index(layer.diff_id));
  store_.corrupt(layer.blob.digest, [&](std::string& bytes) { bytes = good; });
  EXPECT_EQ(snapshots_.index(layer, {}).entries.size(), 1U);
}

TEST_F(SnapshotsTest, DataAfterTheEndOfTheTarIsPartOfTheDiffId) {
  const std::string tar = raw_tar({{.name = "a"}}) + std::string(9216, '\0');
  EXPECT_EQ(index_of(tar).entries.size(), 1U);
}

TEST_F(SnapshotsTest, TheIndexIsReadFromTheBlobOnce) {
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "a"}}));
  snapshots_.index(layer, {});
  EXPECT_TRUE(snapshots_.has_index(layer.diff_id));
  EXPECT_FALSE(snapshots_.has_directory(layer.diff_id));
  snapshots_.index(layer, {});
  EXPECT_EQ(store_.opened(), 1U);
  // A damaged one is made again.
  const stdfs::path file = root_.path() / (std::string(layer.diff_id.hex()) + ".index");
  stdfs::resize_file(file, stdfs::file_size(file) - 1);
  EXPECT_EQ(snapshots_.index(layer, {}).entries.size(), 1U);
  EXPECT_EQ(store_.opened(), 2U);
}

TEST_F(SnapshotsTest, AccountFilesAreKeptUpToOneMiB) {
  const std::string big((1U << 20U) + 1, 'x');
  const LayerIndex index =
      index_of(raw_tar({{.name = "./etc/passwd", .body = "root:x:0:0"}, {.name = "etc/group", .body = big}}));
  EXPECT_EQ(index.entries.at(0).content, std::nullopt);
  EXPECT_EQ(index.entries.at(1).content, "root:x:0:0");
}

TEST_F(SnapshotsTest, StopEndsTheReading) {
  std::stop_source stop;
  stop.request_stop();
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "a"}}));
  try {
    snapshots_.index(layer, stop.get_token());
    FAIL() << "not interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

TEST_F(SnapshotsTest, WorkspacesGoAndStaleOnesAreSwept) {
  stdfs::path kept;
  {
    const OverlayWorkspace workspace = snapshots_.make_workspace();
    kept = workspace.upper().parent_path();
    EXPECT_EQ(stdfs::status(workspace.upper()).permissions(), stdfs::perms(0755));
    EXPECT_TRUE(stdfs::is_directory(workspace.work()));
    // As overlayfs leaves it.
    ASSERT_EQ(::mkdir((workspace.work() / "work").c_str(), 0000), 0);
    std::ofstream(workspace.upper() / "file") << "x";
    // A living one is no prey of the sweep.
    const Snapshots other(root_.path(), store_);
    EXPECT_TRUE(stdfs::exists(kept));
    OverlayWorkspace moved(snapshots_.make_workspace());
    const OverlayWorkspace target(std::move(moved));
    EXPECT_TRUE(stdfs::exists(target.upper()));
  }
  EXPECT_FALSE(stdfs::exists(kept));

  // A process that is killed leaves its workspace to the next one.
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const OverlayWorkspace workspace = snapshots_.make_workspace();
    std::ofstream(workspace.upper() / "file") << "x";
    [[maybe_unused]] const ssize_t n = ::write(ready[1], "r", 1);
    ::pause();
    ::_exit(0);
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(stdfs::is_empty(root_.path() / "tmp"));
  const Snapshots next(root_.path(), store_);
  EXPECT_TRUE(stdfs::is_empty(root_.path() / "tmp"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(SnapshotsTest, AdoptMovesTheUpperDirectoryOnce) {
  const oci::Digest diff_id = oci::Digest::of_bytes("layer");
  const OverlayWorkspace first = snapshots_.make_workspace();
  const OverlayWorkspace second = snapshots_.make_workspace();
  std::ofstream(first.upper() / "file") << "1";
  std::ofstream(second.upper() / "file") << "2";
  snapshots_.adopt(diff_id, first.upper());
  snapshots_.adopt(diff_id, second.upper());
  EXPECT_TRUE(snapshots_.has_directory(diff_id));
  EXPECT_FALSE(stdfs::exists(first.upper()));
  EXPECT_TRUE(stdfs::exists(second.upper() / "file"));
  oci::Layer layer{{"", diff_id, 0}, diff_id};
  EXPECT_EQ(read_file(snapshots_.directory(layer, {}) / "file"), "1");
}

}  // namespace
}  // namespace tektii::layer
