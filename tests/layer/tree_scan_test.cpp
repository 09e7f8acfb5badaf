#include "layer/tree_scan.hpp"

#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace tektii::layer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace stdfs = std::filesystem;

class TreeScanTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& content = "x") {
    stdfs::create_directories((root() / path).parent_path());
    write_file_atomic(root() / path, content);
  }

  TreeRecord record() {
    const UniqueFd top = open_file(root(), O_RDONLY | O_DIRECTORY);
    return TreeScan(nullptr, {}, stop_).run(top.get());
  }

  // "+ path" for what is new, "! path" for what changed, "- path" for what is gone, ". path" for a directory above.
  std::vector<std::string> differences(const TreeRecord& before) {
    std::vector<std::string> found;
    const UniqueFd top = open_file(root(), O_RDONLY | O_DIRECTORY);
    const auto report = [&](const TreeDifference& difference) {
      const bool is_new = difference.before == TreeRecord::k_none;
      const char sign = difference.kind == TreeDifference::Kind::gone      ? '-'
                        : difference.kind == TreeDifference::Kind::context ? '.'
                        : is_new                                           ? '+'
                                                                           : '!';
      found.push_back(fmt::format("{} {}", sign, difference.path));
      return true;
    };
    now_ = TreeScan(&before, report, stop_).run(top.get());
    return found;
  }

  stdfs::path root() const { return directory_.path(); }
  static void wait_for_another_tick() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }

  TempDir directory_;
  std::stop_token stop_;
  TreeRecord now_;
};

TEST_F(TreeScanTest, EntriesAreInTheOrderOfAWalk) {
  write("a/b/c");
  write("a.b");
  write("a-b");
  write("z/last");
  const TreeRecord tree = record();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tree.size(); ++i) names.push_back(fmt::format("{} {}", tree.name(i), tree.end(i)));
  EXPECT_THAT(names, ElementsAre(" 8", "a 4", "b 4", "c 4", "a-b 5", "a.b 6", "z 8", "last 8"));
}

TEST_F(TreeScanTest, NothingChanged) {
  write("a/b/c");
  write("d/e");
  EXPECT_THAT(differences(record()), IsEmpty());
}

TEST_F(TreeScanTest, FindsWhatChanged) {
  write("a/b/c");
  write("a/b/same");
  write("d/e");
  write("d/gone/x");
  write("f");
  const TreeRecord before = record();
  wait_for_another_tick();
  stdfs::permissions(root() / "a/b/c", stdfs::perms(0600));
  stdfs::remove_all(root() / "d/gone");
  write("d/new/y");
  EXPECT_THAT(differences(before), ElementsAre(". a", ". a/b", "! a/b/c", "! d", "- d/gone", "+ d/new", "+ d/new/y"));
  // The new record is that of the tree as it is.
  const TreeRecord again = now_;
  EXPECT_THAT(differences(again), IsEmpty());
}

TEST_F(TreeScanTest, TypesThatReplaceEachOther) {
  write("a/b");
  write("c");
  const TreeRecord before = record();
  wait_for_another_tick();
  stdfs::remove_all(root() / "a");
  write("a");
  stdfs::remove(root() / "c");
  write("c/d");
  EXPECT_THAT(differences(before), ElementsAre("! a", "! c", "+ c/d"));
}

TEST_F(TreeScanTest, ARenamedDirectoryIsNewWithAllThatIsInIt) {
  write("a/b/c");
  const TreeRecord before = record();
  wait_for_another_tick();
  stdfs::rename(root() / "a", root() / "z");
  EXPECT_THAT(differences(before), ElementsAre("- a", "+ z", "+ z/b", "+ z/b/c"));
}

TEST_F(TreeScanTest, SymlinksAreNotFollowed) {
  const TempDir outside;
  write_file_atomic(outside.path() / "file", "x");
  stdfs::create_directory_symlink(outside.path(), root() / "link");
  const TreeRecord before = record();
  EXPECT_EQ(before.size(), 2U);
  wait_for_another_tick();
  write_file_atomic(outside.path() / "other", "x");
  EXPECT_THAT(differences(before), IsEmpty());
}

// One fstatat() per file: the bound is generous, for machines under load, and in the processor's time.
TEST_F(TreeScanTest, LooksAtManyFilesInLittleTime) {
  constexpr int k_directories = 100;
  constexpr int k_files = 200;
  for (int i = 0; i < k_directories; ++i) {
    stdfs::create_directory(root() / std::to_string(i));
    for (int k = 0; k < k_files; ++k) {
      const UniqueFd file = open_file(root() / std::to_string(i) / std::to_string(k), O_WRONLY | O_CREAT, 0600);
    }
  }
  const TreeRecord before = record();
  const auto begin = std::clock();
  EXPECT_THAT(differences(before), IsEmpty());
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  RecordProperty("microseconds_per_file", std::to_string(seconds * 1e6 / (k_directories * k_files)));
  EXPECT_LT(seconds, 1.0);
}

}  // namespace
}  // namespace tektii::layer
