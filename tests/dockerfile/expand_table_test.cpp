// The rows of testdata/dockerfile/expand.table; its head says how they are written.
#include <tektii/dockerfile/expand.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

namespace tektii::dockerfile {
namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string decode(std::string text) {
  return replace_all(replace_all(replace_all(std::move(text), "␤", "\n"), "␉", "\t"), "␠", " ");
}

std::optional<std::string> look_up(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> k_variables = {
      {"A", "alpha"},  {"E", ""},       {"P", "/usr/local/bin:/bin"},
      {"G", "a*b?c"},  {"D", "$A"},     {"Q", "'q' \"d\" \\"},
      {"S", " x  y "}, {"X", "xxyyxx"}, {"N", "one\ntwo"},
      {"U", "한국어"}, {"V", "v1.2.3"}, {"B", "a\\b/c}d"},
  };
  const auto found = k_variables.find(name);
  return found == k_variables.end() ? std::nullopt : std::optional(found->second);
}

std::string expand(const std::string& mode, const std::string& word) {
  ExpandOptions options;
  options.escape = mode == "[escape `]" ? '`' : '\\';
  options.raw_quotes = mode == "[raw quotes]";
  if (mode == "[words]") return join(expand_words(word, look_up, options), " | ");
  return expand_word(word, look_up, options).text;
}

void check_row(const std::string& mode, const std::string& row) {
  SCOPED_TRACE(mode + " " + row);
  const std::size_t result = row.find(" =>");
  const std::size_t error = row.find(" =! ");
  if (error != std::string::npos) {
    try {
      ADD_FAILURE() << "expanded to " << expand(mode, decode(row.substr(0, error)));
    } catch (const Error& caught) {
      EXPECT_EQ(caught.kind(), ErrorKind::usage);
      EXPECT_THAT(caught.message(), ::testing::StartsWith("failed to process \""));
      EXPECT_THAT(caught.message(), ::testing::EndsWith("\": " + decode(row.substr(error + 4))));
    }
    return;
  }
  ASSERT_NE(result, std::string::npos) << "the row has neither => nor =!";
  const std::string expected = row.size() > result + 4 ? decode(row.substr(result + 4)) : std::string();
  EXPECT_EQ(expand(mode, decode(row.substr(0, result))), expected);
}

TEST(ExpandTable, HoldsRowByRow) {
  const auto path = std::filesystem::path(TEKTII_TESTDATA_DIR) / "dockerfile" / "expand.table";
  std::string mode;
  int rows = 0;
  int errors = 0;
  for (const std::string& line : split(read_file(path), '\n')) {
    if (line.empty() || line.starts_with("# ")) continue;
    if (line.starts_with('[') && line.ends_with(']')) {
      mode = line;
      continue;
    }
    check_row(mode, line);
    ++rows;
    errors += line.find(" =! ") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(rows, 300);
  EXPECT_GE(errors, 40);
}

}  // namespace
}  // namespace tektii::dockerfile
