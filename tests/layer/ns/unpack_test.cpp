#include "layer/ns/ns_test.hpp"
#include "layer/support.hpp"
#include <tektii/layer/layer_contents.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace stdfs = std::filesystem;

std::string xattr_of(const stdfs::path& path, const char* name) {
  char buffer[256];
  const ssize_t n = ::lgetxattr(path.c_str(), name, buffer, sizeof buffer);
  return n < 0 ? "none" : std::string(buffer, static_cast<std::size_t>(n));
}

struct stat stat_of(const stdfs::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

class UnpackTest : public NamespaceTest {
 protected:
  stdfs::path unpack(const std::string& tar) { return snapshots_.directory(add_layer(store_, tar), {}); }
  void expect_no_leftovers() { EXPECT_TRUE(stdfs::is_empty(root_.path() / "tmp")); }

  MemoryStore store_;
  TempDir root_;
  Snapshots snapshots_{root_.path(), store_};
};

const std::string k_capability("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);

TEST_F(UnpackTest, FilesAreAsTheTarSays) {
  LayerWriter writer(store_, {Compression::gzip, 1, 2});
  fs::FileMetadata directory = directory_metadata(0551, 1234567890);
  directory.uid = 12;
  directory.gid = 34;
  writer.add("srv", directory, {});
  fs::FileMetadata file = file_metadata(5, 06755, 1111111111);
  file.uid = 1000;
  file.gid = 2000;
  file.xattrs = {{"security.capability", k_capability}, {"user.note", "hi"}};
  writer.add("srv/ping", file, content("hello"));
  writer.add_hard_link("srv/ping6", "srv/ping");
  fs::FileMetadata link = symlink_metadata("/etc/passwd");
  link.uid = 7;
  link.mtime = 99;
  writer.add("srv/symlink", link, {});
  fs::FileMetadata device = file_metadata(0, 0666, 5);
  device.type = fs::FileType::char_device;
  device.device_major = 1;
  device.device_minor = 3;
  writer.add("srv/null", device, {});
  fs::FileMetadata fifo = file_metadata(0, 0622, 5);
  fifo.type = fs::FileType::fifo;
  writer.add("srv/fifo", fifo, {});
  writer.add_whiteout("srv/gone", 0);
  const WrittenLayer written = writer.commit();
  const stdfs::path root = snapshots_.directory(written.layer, {});

  struct stat status = stat_of(root / "srv");
  EXPECT_EQ(status.st_mode, S_IFDIR | 0551U);
  EXPECT_EQ(status.st_uid, 12U);
  EXPECT_EQ(status.st_gid, 34U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1234567890);
  EXPECT_EQ(status.st_mtim.tv_nsec, 0);
  status = stat_of(root / "srv/ping");
  EXPECT_EQ(status.st_mode, S_IFREG | 06755U);
  EXPECT_EQ(status.st_uid, 1000U);
  EXPECT_EQ(status.st_gid, 2000U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1111111111);
  EXPECT_EQ(status.st_nlink, 2U);
  EXPECT_EQ(stat_of(root / "srv/ping6").st_ino, status.st_ino);
  EXPECT_EQ(xattr_of(root / "srv/ping", "security.capability"), k_capability);
  EXPECT_EQ(xattr_of(root / "srv/ping", "user.note"), "hi");
  EXPECT_EQ(read_file(root / "srv/ping"), "hello");
  status = stat_of(root / "srv/symlink");
  EXPECT_EQ(status.st_uid, 7U);
  EXPECT_EQ(status.st_mtim.tv_sec, 99);
  EXPECT_EQ(stdfs::read_symlink(root / "srv/symlink"), "/etc/passwd");
  // A user namespace has no device nodes; the unpacked form leaves them out there.
  if (::mknod((root_.path() / "probe").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {
    EXPECT_EQ(stat_of(root / "srv/null").st_rdev, makedev(1, 3));
    EXPECT_EQ(stat_of(root / "srv/null").st_mode, S_IFCHR | 0666U);
  } else {
    EXPECT_FALSE(stdfs::exists(root / "srv/null"));
  }
  EXPECT_EQ(stat_of(root / "srv/fifo").st_mode, S_IFIFO | 0622U);
  EXPECT_EQ(stat_of(root / "srv/gone").st_mode & S_IFMT, static_cast<mode_t>(S_IFCHR));
  EXPECT_EQ(stat_of(root / "srv/gone").st_rdev, 0U);
  EXPECT_EQ(stat_of(root).st_mode, S_IFDIR | 0755U);
  // The index came along.
  EXPECT_TRUE(snapshots_.has_index(written.layer.diff_id));
  EXPECT_EQ(snapshots_.index(written.layer, {}).serialise(), written.index.serialise());
  EXPECT_EQ(store_.opened(), 1U);
  EXPECT_EQ(snapshots_.directory(written.layer, {}), root);
  EXPECT_EQ(store_.opened(), 1U);
  expect_no_leftovers();
}

TEST_F(UnpackTest, TheUmaskAndTheSetGroupIdBitOfTheCacheDoNotMatter) {
  ASSERT_EQ(::chown(root_.path().c_str(), 0, 4711), 0);
  ASSERT_EQ(::chmod((root_.path() / "tmp").c_str(), 02700), 0);
  ASSERT_EQ(::chown((root_.path() / "tmp").c_str(), 0, 4711), 0);
  const mode_t before = ::umask(0077);
  const stdfs::path root =
      unpack(raw_tar({{.name = "d/", .type = '5', .mode = 0777}, {.name = "d/f", .mode = 0666}, {.name = "e/f"}}));
  ::umask(before);
  EXPECT_EQ(stat_of(root / "d").st_mode, S_IFDIR | 0777U);
  EXPECT_EQ(stat_of(root / "d/f").st_mode, S_IFREG | 0666U);
  for (const char* path : {"", "d", "d/f", "e", "e/f"}) EXPECT_EQ(stat_of(root / path).st_gid, 0U) << path;
  // A parent that the tar leaves out.
  EXPECT_EQ(stat_of(root / "e").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(stat_of(root / "e").st_mtim.tv_sec, 0);
}

TEST_F(UnpackTest, ALayerOfAnEarlierBootIsUnpackedAgain) {
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "a", .body = "hello"}}));
  const stdfs::path files = snapshots_.directory(layer, {});
  EXPECT_TRUE(snapshots_.has_directory(layer.diff_id));
  const stdfs::path mark = files.parent_path() / "boot";
  for (const char* text : {"00000000-0000-0000-0000-000000000000\n", ""}) {
    stdfs::resize_file(files / "a", 0);
    write_file_atomic(mark, text);
    EXPECT_FALSE(snapshots_.has_directory(layer.diff_id));
    EXPECT_EQ(read_file(snapshots_.directory(layer, {}) / "a"), "hello");
  }
  stdfs::remove(mark);
  EXPECT_FALSE(snapshots_.has_directory(layer.diff_id));
  snapshots_.directory(layer, {});
  EXPECT_TRUE(snapshots_.has_directory(layer.diff_id));
  expect_no_leftovers();
}

TEST_F(UnpackTest, NothingLeavesTheDirectory) {
  const TempDir outside;
  const std::string target = outside.path().string();
  std::ofstream(outside.path() / "victim") << "safe";
  struct Case {
    std::vector<RawMember> members;
    const char* message;
  };
  const Case cases[] = {
      {{{.name = "a", .type = '2', .link = target}, {.name = "a/evil"}}, "below \"a\""},
      {{{.name = "a", .type = '2', .link = target}, {.name = "a/b/c/evil"}}, "below \"a\""},
      {{{.name = "a", .type = '2', .link = target}, {.name = "a/.wh.victim"}}, "below \"a\""},
      {{{.name = "a", .type = '2', .link = target}, {.name = "a/.wh..wh..opq"}}, "below \"a\""},
      {{{.name = "a", .type = '2', .link = target}, {.name = "h", .type = '1', .link = "a/victim"}},
       "no file of the same layer"},
      {{{.name = "h", .type = '1', .link = target + "/victim"}}, "no file of the same layer"},
      {{{.name = "d", .type = '5'}, {.name = "h", .type = '1', .link = "d"}}, "no file of the same layer"},
      {{{.name = ".wh.w"}, {.name = "h", .type = '1', .link = "w"}}, "no file of the same layer"},
      {{{.name = "../evil"}}, "has \"..\""},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(error_of([&] { unpack(raw_tar(c.members)); }), HasSubstr(c.message));
    expect_no_leftovers();
  }
  EXPECT_EQ(read_file(outside.path() / "victim"), "safe");
  EXPECT_EQ(std::distance(stdfs::directory_iterator(outside.path()), {}), 1);
  // A symlink that is replaced by a later member of the same name is not written through either.
  const stdfs::path root = unpack(raw_tar({{.name = "f", .type = '2', .link = target + "/victim"},
                                           {.name = "f", .body = "new"},
                                           {.name = "d", .type = '2', .link = target},
                                           {.name = "d", .type = '5', .mode = 0700},
                                           {.name = "d/x"}}));
  EXPECT_EQ(read_file(root / "f"), "new");
  EXPECT_TRUE(stdfs::is_regular_file(root / "d/x"));
  EXPECT_EQ(read_file(outside.path() / "victim"), "safe");
  // An absolute name is below the root.
  EXPECT_TRUE(stdfs::exists(unpack(raw_tar({{.name = target + "/evil"}})) / target.substr(1) / "evil"));
  EXPECT_FALSE(stdfs::exists(outside.path() / "evil"));
}

TEST_F(UnpackTest, LaterMembersReplaceEarlierOnes) {
  const stdfs::path root = unpack(raw_tar({
      {.name = "twice", .body = "1"},
      {.name = "twice", .body = "2"},
      {.name = "dir-to-file/", .type = '5'},
      {.name = "dir-to-file/a/b"},
      {.name = "dir-to-file", .body = "file"},
      {.name = "file-to-dir", .body = "x"},
      {.name = "file-to-dir/", .type = '5', .mode = 0711},
      {.name = "file-to-dir/a"},
      {.name = "link", .type = '1', .link = "twice"},
      {.name = "twice", .type = '2', .link = "elsewhere"},
      {.name = "dir/", .type = '5', .mode = 0700},
      {.name = "dir/x"},
      {.name = "dir/", .type = '5', .mode = 0755},
  }));
  EXPECT_EQ(read_file(root / "link"), "2");
  EXPECT_TRUE(stdfs::is_symlink(root / "twice"));
  EXPECT_EQ(read_file(root / "dir-to-file"), "file");
  EXPECT_TRUE(stdfs::exists(root / "file-to-dir/a"));
  EXPECT_EQ(stat_of(root / "file-to-dir").st_mode, S_IFDIR | 0711U);
  // The file hid what lower layers have there.
  EXPECT_EQ(xattr_of(root / "file-to-dir", "user.overlay.opaque"), "y");
  EXPECT_TRUE(stdfs::exists(root / "dir/x"));
  EXPECT_EQ(stat_of(root / "dir").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(xattr_of(root / "dir", "user.overlay.opaque"), "none");
}

TEST_F(UnpackTest, WhiteoutsTakeOverlayForm) {
  const stdfs::path root = unpack(raw_tar({
      {.name = "a/.wh.b"},
      {.name = "opaque/.wh..wh..opq"},
      {.name = "opaque/new"},
      {.name = "late/new"},
      {.name = "late/.wh..wh..opq"},
      {.name = ".wh.again"},
      {.name = "again/", .type = '5'},
      {.name = "remade/", .type = '5'},
      {.name = ".wh.remade"},
      {.name = "file"},
      {.name = ".wh.file"},
      {.name = ".wh.implicit"},
      {.name = "implicit/x"},
  }));
  EXPECT_EQ(stat_of(root / "a/b").st_mode & S_IFMT, static_cast<mode_t>(S_IFCHR));
  for (const char* path : {"opaque", "late", "again", "remade", "implicit"}) {
    EXPECT_EQ(xattr_of(root / path, "user.overlay.opaque"), "y") << path;
  }
  EXPECT_TRUE(stdfs::exists(root / "implicit/x"));
  EXPECT_TRUE(stdfs::is_regular_file(root / "file"));
}

TEST_F(UnpackTest, SparseAndBinaryNamesSurvive) {
  LayerWriter writer(store_, {Compression::zstd, 3, 1});
  const std::string name = std::string(200, 'x') + "/\xe9\xff\xc3\xa9" + std::string(240, 'y');
  writer.add(name, file_metadata(3), content("abc"));
  const stdfs::path root = snapshots_.directory(writer.commit().layer, {});
  EXPECT_EQ(read_file(root / name), "abc");
}

TEST_F(UnpackTest, CorruptionLeavesNothing) {
  oci::Layer layer = add_layer(store_, raw_tar({{.name = "a", .body = "content"}}));
  layer.diff_id = oci::Digest::of_bytes("other");
  EXPECT_THAT(error_of([&] { snapshots_.directory(layer, {}); }), HasSubstr("does not match its diff_id"));
  EXPECT_FALSE(snapshots_.has_directory(layer.diff_id));
  EXPECT_FALSE(snapshots_.has_index(layer.diff_id));
  expect_no_leftovers();
}

TEST_F(UnpackTest, OpensFilesOfAnUnpackedLayer) {
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "d/f", .body = "text"},
                                                      {.name = "s", .type = '2', .link = "/etc/passwd"},
                                                      {.name = "p", .type = '6'}}));
  const stdfs::path root = snapshots_.directory(layer, {});
  const std::size_t opened = store_.opened();
  LayerContents contents(
      snapshots_, [&](const oci::Layer&, const auto& read) { read([&] { return store_.open(layer.blob.digest); }); },
      {});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(read_all(*contents.open(layer, "d/f")), "text");
  EXPECT_EQ(store_.opened(), opened);
  // Nothing that the directory does not have itself is reached, whatever it has become.
  ASSERT_TRUE(stdfs::remove(root / "d/f"));
  stdfs::create_symlink("/etc/passwd", root / "d/f");
  EXPECT_EQ(read_all(*contents.open(layer, "d/f")), "text");
  EXPECT_EQ(store_.opened(), opened + 1);
  for (const char* path : {"s", "p", "d", "missing", "s/x"}) EXPECT_THROW(contents.open(layer, path), Error) << path;
}

TEST_F(UnpackTest, TwoProcessesAndFourThreadsUnpackTheSameLayer) {
  const oci::Layer layer = [&] {  // the threads of the writer end before the fork
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    const std::string body(20000, 'b');
    for (int i = 0; i < 500; ++i) writer.add("f" + std::to_string(1000 + i), file_metadata(body.size()), content(body));
    return writer.commit().layer;
  }();
  const auto check = [&](const stdfs::path& root) {
    return std::distance(stdfs::directory_iterator(root), {}) == 500 && stdfs::file_size(root / "f1499") == 20000;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 1;
      try {
        Snapshots other(root_.path(), store_);
        code = check(other.directory(layer, {})) && store_.opened() <= 1 ? 0 : 2;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { EXPECT_TRUE(check(snapshots_.directory(layer, {}))); });
    }
  }
  EXPECT_LE(store_.opened(), 1U);
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  expect_no_leftovers();
}

TEST_F(UnpackTest, AKilledUnpackIsSweptAndDoneAgain) {
  LayerWriter writer(store_, {Compression::gzip, 1, 1});
  const std::string body(1U << 20U, 'b');
  for (int i = 0; i < 200; ++i) writer.add("f" + std::to_string(i), file_metadata(body.size()), content(body));
  const oci::Layer layer = writer.commit().layer;
  const pid_t child = ::fork();
  if (child == 0) {
    Snapshots(root_.path(), store_).directory(layer, {});
    ::_exit(0);
  }
  while (stdfs::is_empty(root_.path() / "tmp") && !snapshots_.has_directory(layer.diff_id)) std::this_thread::yield();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  Snapshots next(root_.path(), store_);
  expect_no_leftovers();
  EXPECT_EQ(std::distance(stdfs::directory_iterator(next.directory(layer, {})), {}), 200);
}

}  // namespace
}  // namespace tektii::layer
