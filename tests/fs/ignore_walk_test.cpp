// What IgnoreWalk saves: directories that are not entered, and rules that are not asked.
#include <tektii/fs/ignore.hpp>
#include <tektii/fs/walk.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace tektii::fs {
namespace {

// As large projects have them: most name one place, some a kind of file anywhere, a few bring something back.
std::vector<std::string> many_patterns() {
  std::vector<std::string> patterns;
  for (int i = 0; i < 300; ++i) patterns.push_back(fmt::format("modules/m{}/build", i));
  for (int i = 0; i < 80; ++i) patterns.push_back(fmt::format("**/*.tmp{}", i));
  for (int i = 0; i < 60; ++i) patterns.push_back(fmt::format("**/cache{}/**", i));
  for (int i = 0; i < 40; ++i) patterns.push_back(fmt::format("docs/*/draft-{}-*.md", i));
  for (int i = 0; i < 20; ++i) patterns.push_back(fmt::format("!modules/m{}/build/keep.txt", i));
  return patterns;
}

double seconds_of(const std::function<void()>& work) {
  const std::clock_t start = std::clock();  // processor time, since machines that run tests are busy
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

struct Visited {
  std::string path;
  bool is_directory;
};

std::vector<Visited> many_paths() {
  std::vector<Visited> paths;
  for (int directory = 0; directory < 20; ++directory) {
    paths.push_back({fmt::format("src/package{}", directory), true});
    for (int file = 0; file < 50; ++file) {
      paths.push_back({fmt::format("src/package{}/source_file_{}.cpp", directory, file), false});
    }
  }
  return paths;
}

TEST(IgnoreWalk, IsFarCheaperThanAskingForEachPath) {
  const IgnorePatterns patterns = IgnorePatterns::from_list(many_patterns());
  const std::vector<Visited> paths = many_paths();
  std::vector<bool> asked;
  std::vector<bool> walked;
  const double ask = seconds_of([&] {
    for (const Visited& visited : paths) asked.push_back(patterns.matches(visited.path));
  });
  const double walk_time = seconds_of([&] {
    IgnoreWalk walk(patterns);
    for (const Visited& visited : paths) walked.push_back(walk.visit(visited.path, visited.is_directory).excluded);
  });
  EXPECT_EQ(asked, walked);
  RecordProperty("ratio", fmt::format("{:.1f}", ask / walk_time));
  EXPECT_LT(walk_time * 3, ask);  // about thirty times in a release build
}

class IgnoreWalkOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tektii-ignore-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void make_files(const std::string& directory, int count) {
    std::filesystem::create_directories(root_ / directory);
    for (int i = 0; i < count; ++i) std::ofstream(root_ / directory / fmt::format("file{}.js", i));
  }

  std::filesystem::path root_;
};

TEST_F(IgnoreWalkOnDisk, CostsLessThanTheWalkItself) {
  for (int i = 0; i < 30; ++i) make_files(fmt::format("src/package{}", i), 40);
  const IgnorePatterns patterns = IgnorePatterns::from_list(many_patterns());
  std::vector<Visited> paths;
  const double walk_time = seconds_of([&] {
    walk_tree(root_, {}, [&](const WalkEntry& entry) {
      paths.push_back({entry.path, entry.metadata.type == FileType::directory});
      return WalkAction::keep_going;
    });
  });
  ASSERT_GT(paths.size(), 1000U);
  const double ignore_time = seconds_of([&] {
    IgnoreWalk walk(patterns);
    for (const Visited& visited : paths) walk.visit(visited.path, visited.is_directory);
  });
  RecordProperty("ratio", fmt::format("{:.2f}", ignore_time / walk_time));
  EXPECT_LT(ignore_time, 3 * walk_time);  // a third of it in a release build; sanitizers and debug builds tell less
}

TEST_F(IgnoreWalkOnDisk, EntersNoExcludedDirectoryThatANegationCannotReach) {
  make_files("node_modules/a/b", 30);
  make_files("src", 2);
  make_files("keep/node_modules/x", 3);
  const IgnorePatterns patterns =
      IgnorePatterns::from_list({"**/node_modules", "!README.md", "!src/**/*.js", "!keep/node_modules/x/*1.js"});
  IgnoreWalk walk(patterns);
  std::vector<std::string> seen;
  walk_tree(root_, {}, [&](const WalkEntry& entry) {
    const auto answer = walk.visit(entry.path, entry.metadata.type == FileType::directory);
    seen.push_back((answer.excluded ? "-" : "+") + entry.path);
    return answer.skip_children ? WalkAction::skip_children : WalkAction::keep_going;
  });
  const std::vector<std::string> expected = {"+keep",
                                             "-keep/node_modules",
                                             "-keep/node_modules/x",
                                             "-keep/node_modules/x/file0.js",
                                             "+keep/node_modules/x/file1.js",
                                             "-keep/node_modules/x/file2.js",
                                             "-node_modules",
                                             "+src",
                                             "+src/file0.js",
                                             "+src/file1.js"};
  EXPECT_EQ(seen, expected);
}

TEST(IgnoreWalk, TakesPathsInAnyOrder) {
  const IgnorePatterns patterns = IgnorePatterns::from_list({"a", "!a/b", "a/b/c", "**/z"});
  IgnoreWalk walk(patterns);
  for (const char* path : {"a/b/c/d", "a", "a/b", "x", "a/b/c", "a/bb/c", "x/z", "a/b/z", "a/b/y", "ab", "a/b/c/d/e"}) {
    EXPECT_EQ(walk.visit(path, false).excluded, patterns.matches(path)) << path;
    EXPECT_EQ(walk.visit(path, true).excluded, patterns.matches(path)) << path;
  }
}

}  // namespace
}  // namespace tektii::fs
