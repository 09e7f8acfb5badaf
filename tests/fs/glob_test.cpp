#include <tektii/fs/ignore.hpp>
#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tektii::fs {
namespace {

struct GlobCase {
  std::string pattern;
  std::string name;
  bool matches;
};

// The table of path/filepath's match_test.go.
TEST(MatchGlob, AgreesWithGo) {
  const std::vector<GlobCase> cases = {
      {"abc", "abc", true},
      {"*", "abc", true},
      {"*c", "abc", true},
      {"a*", "a", true},
      {"a*", "abc", true},
      {"a*", "ab/c", false},
      {"a*/b", "abc/b", true},
      {"a*/b", "a/c/b", false},
      {"a*b*c*d*e*/f", "axbxcxdxe/f", true},
      {"a*b*c*d*e*/f", "axbxcxdxexxx/f", true},
      {"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false},
      {"a*b*c*d*e*/f", "axbxcxdxexxx/fff", false},
      {"a*b?c*x", "abxbbxdbxebxczzx", true},
      {"a*b?c*x", "abxbbxdbxebxczzy", false},
      {"ab[c]", "abc", true},
      {"ab[b-d]", "abc", true},
      {"ab[e-g]", "abc", false},
      {"ab[^c]", "abc", false},
      {"ab[^b-d]", "abc", false},
      {"ab[^e-g]", "abc", true},
      {"a\\*b", "a*b", true},
      {"a\\*b", "ab", false},
      {"a?b",
       "a\xE2\x98\xBA"
       "b",
       true},
      {"a[^a]b",
       "a\xE2\x98\xBA"
       "b",
       true},
      {"a???b",
       "a\xE2\x98\xBA"
       "b",
       false},
      {"a[^a][^a][^a]b",
       "a\xE2\x98\xBA"
       "b",
       false},
      {"[a-\xCE\xB6]*", "\xCE\xB1", true},
      {"*[a-\xCE\xB6]", "A", false},
      {"a?b", "a/b", false},
      {"a*b", "a/b", false},
      {"[\\]a]", "]", true},
      {"[\\-]", "-", true},
      {"[x\\-]", "x", true},
      {"[x\\-]", "-", true},
      {"[x\\-]", "z", false},
      {"[\\-x]", "x", true},
      {"[\\-x]", "-", true},
      {"[\\-x]", "a", false},
      {"*x", "xxx", true},
      {"requirements*.txt", "requirements-dev.txt", true},
      {"src/*.py", "src/main.py", true},
  };
  for (const GlobCase& row : cases) {
    EXPECT_EQ(match_glob(row.pattern, row.name), row.matches) << row.pattern << " on " << row.name;
  }
}

TEST(MatchGlob, RejectsMalformedPatternsAlsoAfterAMismatch) {
  for (const char* pattern : {"[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "a/b[", "*a["}) {
    EXPECT_THROW(match_glob(pattern, "abc"), Error) << pattern;
  }
}

TEST(HasGlobMeta, SeesUnescapedWildcardsOnly) {
  EXPECT_TRUE(has_glob_meta("a*"));
  EXPECT_TRUE(has_glob_meta("a?"));
  EXPECT_TRUE(has_glob_meta("[a]"));
  EXPECT_FALSE(has_glob_meta("a\\*b\\?\\["));
  EXPECT_FALSE(has_glob_meta("plain/path"));
  EXPECT_FALSE(has_glob_meta(""));
}

}  // namespace
}  // namespace tektii::fs
