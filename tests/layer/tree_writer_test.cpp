#include <tektii/layer/tree_writer.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace tektii::layer {
namespace {

namespace stdfs = std::filesystem;

fs::FileMetadata metadata(fs::FileType type, std::uint32_t mode) {
  fs::FileMetadata result;
  result.type = type;
  result.mode = mode;
  result.uid = ::geteuid();
  result.gid = ::getegid();
  result.mtime = 1000;
  return result;
}

TEST(TreeWriter, MakesFilesAsTheirMetadataSays) {
  const TempDir source;
  const TempDir target;
  write_file_atomic(source.path() / "f", "content");
  const BlobOpener open = [&] { return open_source(source.path() / "f"); };
  TreeWriter writer(target.path());
  auto file = metadata(fs::FileType::regular, 0640);
  file.size = 7;
  writer.add("", metadata(fs::FileType::directory, 0711), {});
  writer.add("locked", metadata(fs::FileType::directory, 0500), {});
  writer.add("locked/file", file, open);
  writer.add_hard_link("locked/same", "locked/file");
  auto link = metadata(fs::FileType::symlink, 0777);
  link.link_target = "../outside";
  writer.add("locked/link", link, {});
  writer.add("fifo", metadata(fs::FileType::fifo, 0600), {});
  writer.add("socket", metadata(fs::FileType::socket, 0600), {});
  writer.finish();

  struct stat info {};
  ASSERT_EQ(::stat(target.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0711U);
  ASSERT_EQ(::stat((target.path() / "locked").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0500U);
  EXPECT_EQ(info.st_mtim.tv_sec, 1000);
  ASSERT_EQ(::stat((target.path() / "locked/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
  EXPECT_EQ(info.st_nlink, 2U);
  EXPECT_EQ(info.st_mtim.tv_sec, 1000);
  EXPECT_EQ(read_file(target.path() / "locked/same"), "content");
  EXPECT_EQ(stdfs::read_symlink(target.path() / "locked/link"), "../outside");
  EXPECT_TRUE(stdfs::is_fifo(target.path() / "fifo"));
  EXPECT_FALSE(stdfs::exists(target.path() / "socket"));
  ::chmod((target.path() / "locked").c_str(), 0700);
}

TEST(TreeWriter, NeverLeavesItsDirectory) {
  const TempDir outside;
  const TempDir target;
  TreeWriter writer(target.path());
  auto link = metadata(fs::FileType::symlink, 0777);
  link.link_target = outside.path();
  writer.add("link", link, {});
  EXPECT_THROW(writer.add("link/below", metadata(fs::FileType::fifo, 0600), {}), Error);
  EXPECT_TRUE(stdfs::is_empty(outside.path()));
}

}  // namespace
}  // namespace tektii::layer
