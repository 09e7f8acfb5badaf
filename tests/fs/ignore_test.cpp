#include <tektii/fs/ignore.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tektii::fs {
namespace {

struct MatchCase {
  std::vector<std::string> patterns;
  std::string path;
  bool excluded;
};

// Rows in the manner of moby's patternmatcher_test.go, whose answers these are.
const std::vector<MatchCase> k_match_cases = {
    // "**"
    {{"**"}, "file", true},
    {{"**"}, "dir/file", true},
    {{"**/"}, "file", true},
    {{"**/"}, "dir/file", true},
    {{"**/**"}, "file", true},
    {{"**/**"}, "dir/dir2/file", true},
    {{"dir/**"}, "dir", false},
    {{"dir/**"}, "dir/file", true},
    {{"dir/**"}, "dir/dir2/file", true},
    {{"dir/**"}, "dirx/file", false},
    {{"**/dir"}, "dir", true},
    {{"**/dir"}, "dir/file", true},
    {{"**/dir2/*"}, "dir/dir2/file", true},
    {{"**/dir2/*"}, "dir/dir2/dir2/file", true},
    {{"**/dir2/**"}, "dir/dir2/dir2/file", true},
    {{"**/dir2/**"}, "dir/dir2", false},
    {{"**file"}, "file", true},
    {{"**file"}, "dir/file", true},
    {{"**file"}, "dir/dir/file", true},
    {{"**file"}, "barfile", true},
    {{"**file*"}, "barfile", false},
    {{"**/file"}, "dir/file", true},
    {{"**/file"}, "dir/barfile", false},
    {{"**file"}, "dir/dir/file.txt", false},
    {{"**/file*txt"}, "dir/dir/file.txt", true},
    {{"**/file*.txt"}, "dir/dir/file.txt", true},
    {{"**/file*.txt*"}, "dir/dir/file.txt", true},
    {{"**/**/*.txt"}, "dir/dir/file.txt", true},
    {{"**/**/*.txt2"}, "dir/dir/file.txt", false},
    {{"**/*.txt"}, "file.txt", true},
    {{"**/**/*.txt"}, "file.txt", true},
    {{"a**/*.txt"}, "a/file.txt", true},
    {{"a**/*.txt"}, "a/dir/file.txt", true},
    {{"a**/*.txt"}, "a/dir/dir/file.txt", true},
    {{"a/*.txt"}, "a/dir/file.txt", false},
    {{"a/*.txt"}, "a/file.txt", true},
    {{"a/*.txt**"}, "a/file.txt", true},
    {{"abc**"}, "abcd", true},
    {{"abc**"}, "abc", true},
    {{"abc/**/def"}, "abc/def", true},
    {{"abc/**/def"}, "abc/x/y/def", true},
    {{"abc/**/def"}, "abcdef", false},
    // classes and single wildcards
    {{"a[b-d]e"}, "ae", false},
    {{"a[b-d]e"}, "ace", true},
    {{"a[b-d]e"}, "aae", false},
    {{"a[^b-d]e"}, "aze", true},
    {{"a[^b-d]e"}, "abe", false},
    {{"[ab]"}, "b", true},
    {{"[\\]a]"}, "]", true},
    {{"[\\-x]"}, "-", true},
    {{"[!a]b"}, "!b", true},
    {{".*"}, ".foo", true},
    {{".*"}, "foo", false},
    {{"abc.def"}, "abcdef", false},
    {{"abc.def"}, "abc.def", true},
    {{"abc.def"}, "abcZdef", false},
    {{"abc?def"}, "abcZdef", true},
    {{"abc?def"}, "abcdef", false},
    {{"abc?def"}, "abc/def", false},
    {{"a?b"},
     "a\xC3\xA9"
     "b",
     true},
    {{"a[\xC3\xA0-\xC3\xBF]b"},
     "a\xC3\xA9"
     "b",
     true},
    {{"*"}, "file", true},
    {{"*"}, "dir/file", true},
    {{"*/*"}, "file", false},
    {{"*/*"}, "dir/file", true},
    {{"*/*/temp*"}, "a/b/temporary", true},
    {{"*/*/temp*"}, "a/temporary", false},
    {{"temp?"}, "tempa/inner", true},
    // escapes and characters that mean something to a regular expression only
    {{"a\\\\"}, "a\\", true},
    {{"a\\b"}, "ab", true},
    {{"a\\b"}, "ac", false},
    {{"a\\*b"}, "a*b", true},
    {{"a\\*b"}, "axb", false},
    {{"\\!important"}, "!important", true},
    {{"a+b(c){d}$|.*"}, "a+b(c){d}$|.txt", true},
    {{"^file"}, "^file", true},
    {{"^*"}, "^file", true},
    {{"^*"}, "file", false},
    // parents
    {{"dir"}, "dir/file", true},
    {{"dir"}, "dir/a/b/c", true},
    {{"dir"}, "other/dir", false},
    {{"dir/sub"}, "dir/sub/file", true},
    {{"dir/sub"}, "dir/file", false},
    {{"*/sub"}, "dir/sub/file", true},
    // cleaning
    {{"dir/"}, "dir", true},
    {{"dir/"}, "dir/file", true},
    {{"./dir"}, "dir", true},
    {{"dir//sub"}, "dir/sub", true},
    {{"dir/../other"}, "other", true},
    {{"  dir  "}, "dir", true},
    {{"."}, "file", false},
    {{""}, "file", false},
    {{"Dir"}, "dir", false},
    // negation: the last rule that matches wins
    {{"*", "!keep"}, "keep", false},
    {{"*", "!keep"}, "drop", true},
    {{"!keep", "*"}, "keep", true},
    {{"*.md", "!README.md"}, "README.md", false},
    {{"*.md", "!README*.md", "README-secret.md"}, "README-secret.md", true},
    {{"*.md", "README-secret.md", "!README*.md"}, "README-secret.md", false},
    {{"dir", "!dir/keep"}, "dir/keep", false},
    {{"dir", "!dir/keep"}, "dir/keep/below", false},
    {{"dir", "!dir/keep"}, "dir/other", true},
    {{"dir", "!**/keep"}, "dir/a/b/keep", false},
    {{"**", "!src", "src/gen"}, "src/gen/x.c", true},
    {{"**", "!src", "src/gen"}, "src/x.c", false},
    {{"*", "!dir/*.txt"}, "dir/a.txt", false},
    {{"*", "!dir/*.txt"}, "dir/a.bin", true},
    {{"util", "docker", "!util/docker"}, "util/docker", false},
    {{"!only"}, "only", false},
    {{"node_modules", "!node_modules/keep/**"}, "node_modules/keep", true},
    {{"node_modules", "!node_modules/keep/**"}, "node_modules/keep/x", false},
};

TEST(IgnorePatterns, MatchesLikeMoby) {
  for (const MatchCase& row : k_match_cases) {
    EXPECT_EQ(IgnorePatterns::from_list(row.patterns).matches(row.path), row.excluded)
        << testing::PrintToString(row.patterns) << " on " << row.path;
  }
}

TEST(IgnorePatterns, RejectsMalformedPatterns) {
  for (const char* pattern :
       {"!", " ! ", "[", "a[", "[a", "[]a]", "[-x]", "[a-]", "[x-]", "a\\", "[a\\", "*[", "**/["}) {
    EXPECT_THROW(IgnorePatterns::from_list({pattern}), Error) << pattern;
  }
}

TEST(IgnorePatterns, ReadsAnIgnoreFile) {
  const IgnorePatterns patterns = IgnorePatterns::parse(
      "\xEF\xBB\xBF# comment\r\n"
      "\r\n"
      " # not a comment\n"
      "/absolute\n"
      "  spaced/ \r\n"
      "*.log\n"
      "!  /keep.log\n"
      "//two\n",
      ".dockerignore");
  EXPECT_FALSE(patterns.empty());
  EXPECT_TRUE(patterns.matches("# not a comment"));
  EXPECT_FALSE(patterns.matches("# comment"));
  EXPECT_TRUE(patterns.matches("absolute/x"));
  EXPECT_TRUE(patterns.matches("spaced"));
  EXPECT_TRUE(patterns.matches("a.log"));
  EXPECT_FALSE(patterns.matches("keep.log"));
  EXPECT_TRUE(patterns.matches("two"));
}

TEST(IgnorePatterns, NamesTheLineOfABadPattern) {
  try {
    IgnorePatterns::parse("ok\n\n!\n", "ctx/.dockerignore");
    FAIL() << "a bare \"!\" was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.message(), testing::HasSubstr("illegal exclusion pattern"));
    ASSERT_TRUE(error.span().has_value());
    EXPECT_EQ(error.span()->file, "ctx/.dockerignore");
    EXPECT_EQ(error.span()->first_line, 3);
  }
}

TEST(IgnorePatterns, EmptyFileExcludesNothing) {
  EXPECT_TRUE(IgnorePatterns::parse("", "f").empty());
  EXPECT_TRUE(IgnorePatterns::parse("\n# x\n  \n", "f").empty());
  EXPECT_FALSE(IgnorePatterns().matches("anything"));
}

struct SkipCase {
  std::vector<std::string> patterns;
  std::string directory;
  bool can_skip;
};

TEST(IgnorePatterns, KnowsWhichDirectoriesNeedNoVisit) {
  const std::vector<SkipCase> cases = {
      {{"node_modules"}, "node_modules", true},
      {{"node_modules"}, "node_modules/a/b", true},
      {{"node_modules"}, "src", false},
      {{"node_modules", "!README.md"}, "node_modules", true},
      {{"node_modules", "!src/**/*.js"}, "node_modules", true},
      {{"node_modules", "!*.md"}, "node_modules", true},
      {{"node_modules", "!*/keep"}, "node_modules", false},
      {{"node_modules", "!**/keep"}, "node_modules", false},
      {{"node_modules", "!node_modules/keep"}, "node_modules", false},
      {{"node_modules", "!node_modules/keep"}, "node_modules/other", true},
      {{"node_modules", "!node_modules/k*"}, "node_modules/other", true},
      {{"node_modules", "!node_modules"}, "node_modules", false},
      {{"!**/keep", "node_modules"}, "node_modules", true},
      {{"!node_modules/keep", "node_modules"}, "node_modules", true},
      {{"*", "!src"}, "src", false},
      {{"*", "!src/app"}, "src", false},
      {{"*", "!src/app"}, "docs", true},
      {{"*", "!src/app/**"}, "src/app", false},
      {{"dir/**"}, "dir", false},
      {{"a**/b", "!a?c/d"}, "axx/b", true},
  };
  for (const SkipCase& row : cases) {
    EXPECT_EQ(IgnorePatterns::from_list(row.patterns).can_skip_children(row.directory), row.can_skip)
        << testing::PrintToString(row.patterns) << " at " << row.directory;
    const IgnorePatterns patterns = IgnorePatterns::from_list(row.patterns);
    EXPECT_EQ(IgnoreWalk(patterns).visit(row.directory, true).skip_children, row.can_skip)
        << testing::PrintToString(row.patterns) << " in a walk at " << row.directory;
  }
}

TEST(IgnorePatterns, ManyWildcardsStayCheap) {
  const std::string pattern = "**/a*a*a*a*a*a*a*a*a*a*a*a*b/**/*c*c*c*c*c*d";
  const std::string path = std::string(200, 'a') + "/" + std::string(200, 'c');
  EXPECT_FALSE(IgnorePatterns::from_list({pattern}).matches(path));
}

TEST(IgnorePatterns, NamesTheRuleThatExcludes) {
  const auto patterns = IgnorePatterns::parse("# a\n*.log\n!keep.log\n  /tmp/ \n*.l*g\n", "i");
  const auto rule_of = [&](const char* path) {
    const auto rule = patterns.exclusion(path);
    return rule ? std::to_string(rule->line) + " " + rule->pattern : "none";
  };
  EXPECT_EQ(rule_of("a.log"), "2 *.log");
  EXPECT_EQ(rule_of("keep.log"), "5 *.l*g");
  EXPECT_EQ(rule_of("tmp/x/y"), "4 /tmp/");
  EXPECT_EQ(rule_of("main.c"), "none");
}

}  // namespace
}  // namespace tektii::fs
