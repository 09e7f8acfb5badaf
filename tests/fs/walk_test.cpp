#include <tektii/fs/capability.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tektii::fs {
namespace {

namespace stdfs = std::filesystem;
using testing::ElementsAre;

std::vector<std::string> paths_of(const stdfs::path& root, const WalkOptions& options = {}) {
  std::vector<std::string> paths;
  walk_tree(root, options, [&](const WalkEntry& entry) {
    paths.push_back(entry.path);
    return WalkAction::keep_going;
  });
  return paths;
}

std::map<std::string, WalkEntry> entries_of(const stdfs::path& root) {
  std::map<std::string, WalkEntry> entries;
  walk_tree(root, {}, [&](const WalkEntry& entry) {
    entries[entry.path] = entry;
    return WalkAction::keep_going;
  });
  return entries;
}

TEST(WalkTree, OrdersSiblingsByTheirBytes) {
  const TempDir temp;
  for (const char* name : {"b", "a", "a.b", "a-b", "B", "\xC3\xA9", "z"}) stdfs::create_directory(temp.path() / name);
  std::ofstream(temp.path() / "a/x") << 1;
  EXPECT_THAT(paths_of(temp.path()), ElementsAre("B", "a", "a/x", "a-b", "a.b", "b", "z", "\xC3\xA9"));
}

TEST(WalkTree, NeverFollowsLinksAndSkipsOnRequest) {
  const TempDir temp;
  stdfs::create_directories(temp.path() / "dir/sub");
  stdfs::create_directory_symlink("dir", temp.path() / "link");
  EXPECT_THAT(paths_of(temp.path()), ElementsAre("dir", "dir/sub", "link"));
  std::vector<std::string> seen;
  walk_tree(temp.path(), {}, [&](const WalkEntry& entry) {
    seen.push_back(entry.path);
    return WalkAction::skip_children;
  });
  EXPECT_THAT(seen, ElementsAre("dir", "link"));
}

TEST(WalkTree, StartsAtASubPath) {
  const TempDir temp;
  stdfs::create_directories(temp.path() / "dir/sub");
  std::ofstream(temp.path() / "dir/file") << 1;
  stdfs::create_directory_symlink("dir", temp.path() / "link");
  WalkOptions options;
  options.start = "dir";
  EXPECT_THAT(paths_of(temp.path(), options), ElementsAre("dir", "dir/file", "dir/sub"));
  options.start = "/dir/file";
  EXPECT_THAT(paths_of(temp.path(), options), ElementsAre("dir/file"));
  options.start = "link/sub";
  EXPECT_THROW(paths_of(temp.path(), options), Error);
  options.start = "missing";
  EXPECT_THROW(paths_of(temp.path(), options), Error);
}

TEST(WalkTree, ReportsMetadataOfEveryType) {
  const TempDir temp;
  const stdfs::path root = temp.path();
  std::ofstream(root / "file") << "hello";
  ASSERT_EQ(::chmod((root / "file").c_str(), 04751), 0);
  stdfs::create_hard_link(root / "file", root / "hard");
  const std::string target(1000, 't');
  stdfs::create_symlink(target, root / "link");
  ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0600), 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (root / "sock").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  const timespec times[2] = {{1000, 0}, {1234567890, 987654321}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root / "file").c_str(), times, 0), 0);

  const auto entries = entries_of(root);
  const WalkEntry& file = entries.at("file");
  EXPECT_EQ(file.metadata.type, FileType::regular);
  EXPECT_EQ(file.metadata.mode, 04751U);
  EXPECT_EQ(file.metadata.size, 5U);
  EXPECT_EQ(file.metadata.uid, ::geteuid());
  EXPECT_EQ(file.metadata.mtime, 1234567890);
  EXPECT_EQ(file.mtime_nanoseconds, 1234567890987654321);
  EXPECT_GT(file.ctime_nanoseconds, file.mtime_nanoseconds);
  EXPECT_EQ(file.link_count, 2U);
  EXPECT_EQ(file.inode, entries.at("hard").inode);
  EXPECT_EQ(entries.at("link").metadata.type, FileType::symlink);
  EXPECT_EQ(entries.at("link").metadata.link_target, target);
  EXPECT_EQ(entries.at("link").metadata.size, 0U);
  EXPECT_EQ(entries.at("fifo").metadata.type, FileType::fifo);
  EXPECT_EQ(entries.at("sock").metadata.type, FileType::socket);
}

TEST(WalkTree, ReadsExtendedAttributes) {
  const TempDir temp;
  std::ofstream(temp.path() / "file") << 1;
  const std::string value = std::string("a\0b", 3) + std::string(2000, 'v');
  if (::setxattr((temp.path() / "file").c_str(), "user.tektii", value.data(), value.size(), 0) != 0) {
    GTEST_SKIP() << "no user xattrs in " << temp.path() << ": " << std::strerror(errno);
  }
  EXPECT_EQ(entries_of(temp.path()).at("file").metadata.xattrs.at("user.tektii"), value);
  WalkOptions options;
  options.xattrs = WalkXattrs::none;
  walk_tree(temp.path(), options, [](const WalkEntry& entry) {
    EXPECT_TRUE(entry.metadata.xattrs.empty());
    return WalkAction::keep_going;
  });
}

TEST(Capability, IsReadByDescriptorAndByName) {
  const TempDir temp;
  std::ofstream(temp.path() / "plain") << 1;
  std::ofstream(temp.path() / "capable") << 1;
  stdfs::create_symlink("capable", temp.path() / "link");
  const UniqueFd directory(::open(temp.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto opened = [&](const char* name) { return UniqueFd(::openat(directory.get(), name, O_RDONLY | O_CLOEXEC)); };
  EXPECT_EQ(read_capability(opened("plain").get(), "plain"), std::nullopt);
  EXPECT_EQ(read_capability_at(directory.get(), "plain", "plain"), std::nullopt);
  EXPECT_THROW(read_capability_at(directory.get(), "missing", "missing"), Error);
  const std::string value("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  if (::setxattr((temp.path() / "capable").c_str(), k_capability, value.data(), value.size(), 0) != 0) {
    GTEST_SKIP() << "file capabilities can't be set here: " << std::strerror(errno);
  }
  EXPECT_EQ(read_capability(opened("capable").get(), "capable"), value);
  EXPECT_EQ(read_capability_at(directory.get(), "capable", "capable"), value);
  EXPECT_EQ(read_capability_at(directory.get(), "link", "link"), std::nullopt);
}

TEST(WalkTree, ManyNamesInOneDirectory) {
  const TempDir temp;
  const std::string tail(200, 'n');  // more than one listing takes
  for (int i = 1000; i < 2000; ++i) std::ofstream(temp.path() / (std::to_string(i) + tail)) << 1;
  const auto paths = paths_of(temp.path());
  ASSERT_EQ(paths.size(), 1000U);
  for (std::size_t i = 0; i < paths.size(); ++i) EXPECT_EQ(paths[i], std::to_string(1000 + i) + tail);
}

TEST(WalkTree, NamesWhatItCanNotRead) {
  EXPECT_THROW(paths_of("/nonexistent-root"), Error);
}

}  // namespace
}  // namespace tektii::fs
