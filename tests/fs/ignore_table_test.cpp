// The rows of testdata/fs/ignore.table; its head says how they are written.
#include <tektii/fs/ignore.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace tektii::fs {
namespace {

std::vector<std::string> read_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string word : split(text, ' ')) {
    constexpr std::string_view k_blank = "␠";
    for (std::size_t at = word.find(k_blank); at != std::string::npos; at = word.find(k_blank)) {
      word.replace(at, k_blank.size(), " ");
    }
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

IgnorePatterns parse(std::string_view patterns) {
  return IgnorePatterns::parse(join(read_words(patterns), "\n"), ".dockerignore");
}

void check_paths(const IgnorePatterns& patterns, std::string_view paths, bool excluded) {
  IgnoreWalk walk(patterns);
  for (const std::string& path : read_words(paths)) {
    EXPECT_EQ(patterns.matches(path), excluded) << path;
    EXPECT_EQ(walk.visit(path, false).excluded, excluded) << path << " in a walk";
    EXPECT_EQ(walk.visit(path, true).excluded, excluded) << path << " as a directory in a walk";
  }
}

TEST(IgnoreTable, HoldsRowByRow) {
  int rows = 0;
  int errors = 0;
  for (const std::string& line :
       split(read_file(std::filesystem::path(TEKTII_TESTDATA_DIR) / "fs" / "ignore.table"), '\n')) {
    if (line.empty() || line.starts_with("# ")) continue;
    SCOPED_TRACE(line);
    ++rows;
    if (const std::size_t error = line.find(" =! "); error != std::string::npos) {
      ++errors;
      try {
        parse(line.substr(0, error));
        ADD_FAILURE() << "was accepted";
      } catch (const Error& caught) {
        EXPECT_THAT(caught.message(), ::testing::HasSubstr(line.substr(error + 4)));
        EXPECT_TRUE(caught.span().has_value());
      }
      continue;
    }
    const std::size_t excluded = line.find(" :");
    ASSERT_NE(excluded, std::string::npos);
    const std::size_t kept = line.find(" :", excluded + 2);
    ASSERT_NE(kept, std::string::npos);
    const IgnorePatterns patterns = parse(line.substr(0, excluded));
    check_paths(patterns, line.substr(excluded + 2, kept - excluded - 2), true);
    check_paths(patterns, line.substr(kept + 2), false);
  }
  EXPECT_GE(rows, 170);
  EXPECT_GE(errors, 15);
}

}  // namespace
}  // namespace tektii::fs
