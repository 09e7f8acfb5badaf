#include <tektii/dockerfile/expand.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tektii::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Lookup look_up_in(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

const Lookup k_lookup = look_up_in({
    {"PWD", "/home"},
    {"SHELL", "bash"},
    {"KOREAN", "한국어"},
    {"NULL", ""},
    {"FOO", "xxyy"},
    {"STARS", "xx**"},
    {"GLOBS", "/foo*/*/*.txt"},
    {"PATHS", "/tmp/tmp/bar.txt"},
    {"URL", "http://google.de"},
    {"REGEX", "()[]{}^$.*?|\\x"},
    {"VERSION", "v1.2.3"},
    {"SPACED", "a b  c"},
    {"LINES", "one\ntwo"},
    {"QUOTED", "'q' \"d\" \\"},
    {"DOLLAR", "$PWD"},
    {"_under", "u"},
    {"A1", "a-one"},
    {"SLASHTMP", "/tmp"},
    {"STAR_SLASH", "\\*/"},
    {"X", "x"},
});

struct Row {
  std::string word;
  std::string expected;  // "error: ..." is a part of the message
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.word;
}

class ExpandWord : public ::testing::TestWithParam<Row> {};

std::string expand_or_message(const Row& row, const ExpandOptions& options = {}) {
  try {
    return expand_word(row.word, k_lookup, options).text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return std::string("error: ") + error.what();
  }
}

TEST_P(ExpandWord, Gives) {
  const Row& row = GetParam();
  const std::string actual = expand_or_message(row);
  if (row.expected.starts_with("error: ")) {
    EXPECT_TRUE(actual.starts_with("error: failed to process \"")) << actual;
    EXPECT_TRUE(actual.ends_with(row.expected.substr(7))) << actual;
  } else {
    EXPECT_EQ(actual, row.expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Plain, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"", ""},
                             {"hello", "hello"},
                             {"he'll'o", "hello"},
                             {"he'llo", "error: looking for matching single-quote"},
                             {"he\\'llo", "he'llo"},
                             {"he\\\\'llo", "error: looking for matching single-quote"},
                             {"abc\\tdef", "abctdef"},
                             {"\"abc\\tdef\"", "abc\\tdef"},
                             {"\"abc\\\\tdef\"", "abc\\tdef"},
                             {"'abc\\tdef'", "abc\\tdef"},
                             {"hello\\", "hello"},
                             {"hello\\\\", "hello\\"},
                             {"\"hello", "error: looking for matching double-quote"},
                             {"\"hello\\\"", "error: looking for matching double-quote"},
                             {"\"hel'lo\"", "hel'lo"},
                             {"'hello", "error: looking for matching single-quote"},
                             {"'hello\\''", "error: looking for matching single-quote"},
                             {"'hel\"lo'", "hel\"lo"},
                             {"\"hello\\$PWD\"", "hello$PWD"},
                             {"\"\"", ""},
                             {"''", ""},
                             {"\"$\"", "$"},
                             {"안녕하세요", "안녕하세요"},
                             {"안'녕하세요", "error: looking for matching single-quote"},
                             {"안\\'녕하세요", "안'녕하세요"},
                             {"a b  c", "a b  c"},
                             {"a<b", "a<b"},
                             {"<<  EOF", "<<  EOF"},
                             {"\xff\xfe", "\xff\xfe"},
                         }));

INSTANTIATE_TEST_SUITE_P(Variables, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"$PWD", "/home"},
                             {"he$PWD", "he/home"},
                             {"he$PWD.", "he/home."},
                             {"'he$PWD'", "he$PWD"},
                             {"\"he$PWD\"", "he/home"},
                             {"he\\$PWD", "he$PWD"},
                             {"he\\\\$PWD", "he\\/home"},
                             {"\"he\\$PWD\"", "he$PWD"},
                             {"${PWD}", "/home"},
                             {"he${PWD}xx", "he/homexx"},
                             {"'he${PWD}xx'", "he${PWD}xx"},
                             {"he\\${PWD}", "he${PWD}"},
                             {"he${PWD", "error: syntax error: missing '}'"},
                             {"he$", "he$"},
                             {"he$.xx", "he$.xx"},
                             {"he$,", "he$,"},
                             {"he$ x", "he$ x"},
                             {"$UNSET", ""},
                             {"${UNSET}", ""},
                             {"x${UNSET}y", "xy"},
                             {"$_under$A1", "ua-one"},
                             {"$A1b", ""},
                             {"${A1}b", "a-oneb"},
                             {"$KOREAN", "한국어"},
                             {"안녕하세요$KOREAN", "안녕하세요한국어"},
                             {"${KOREAN}다", "한국어다"},
                             {"$KOREAN다", ""},
                             {"$VERSION—beta", "v1.2.3—beta"},
                             {"$PWD/$SHELL", "/home/bash"},
                             {"$PWD$SHELL", "/homebash"},
                             {"$DOLLAR", "$PWD"},
                             {"$QUOTED", "'q' \"d\" \\"},
                             {"$PWD:$UNSET:$SHELL", "/home::bash"},
                         }));

INSTANTIATE_TEST_SUITE_P(SpecialParameters, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"he$1", "he"}, {"he$1x", "hex"},   {"he$10y", "hey"}, {"he$@", "he"},
                             {"he$*", "he"}, {"he$#", "he"},     {"he$?", "he"},    {"he$-", "he"},
                             {"he$$", "he"}, {"he$!", "he"},     {"he$0", "he"},    {"he$0x", "hex"},
                             {"${1}", ""},   {"${@}", ""},       {"${#}", ""},      {"${1:-one}", "one"},
                             {"a$$b", "ab"}, {"he${*}x", "hex"}, {"\"$@\"", ""},    {"he$!x", "hex"},
                         }));

INSTANTIATE_TEST_SUITE_P(Defaults, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"${PWD:-word}", "/home"},
                             {"${UNSET:-word}", "word"},
                             {"${NULL:-word}", "word"},
                             {"${NULL-word}", ""},
                             {"${UNSET-word}", "word"},
                             {"${UNSET:-}", ""},
                             {"${UNSET-}", ""},
                             {"${UNSET:-$PWD}", "/home"},
                             {"${UNSET:-${PWD}}", "/home"},
                             {"${UNSET:-${UNSET2:-${UNSET3:-deep}}}", "deep"},
                             {"${UNSET:-\"a b\"}", "a b"},
                             {"${UNSET:-'}'}", "}"},
                             {"${UNSET:-\\}}", "}"},
                             {"${UNSET:-a:b}", "a:b"},
                             {"${UNSET:-$}", "$"},
                             {"x${UNSET:-.}${FOO%x}${UNSET:-.}", "x.xxyy."},
                             {"${PWD:+word}", "word"},
                             {"${NULL:+word}", ""},
                             {"${NULL+word}", "word"},
                             {"${UNSET:+word}", ""},
                             {"${UNSET+word}", ""},
                             {"${PWD:+-${SHELL}}", "-bash"},
                             {"${PWD:+$UNSET}", ""},
                             {"\"${UNSET:-a b}\"", "a b"},
                             {"${PWD:?message}", "/home"},
                             {"${NULL?message}", ""},
                             {"${UNSET:?message here $SHELL}", "error: UNSET: message here bash"},
                             {"${UNSET?message}", "error: UNSET: message"},
                             {"${NULL:?message}", "error: NULL: message"},
                             {"${UNSET:?}", "error: UNSET: is not allowed to be unset"},
                             {"${NULL:?}", "error: NULL: is not allowed to be empty"},
                             {"${UNSET?}", "error: UNSET: is not allowed to be unset"},
                             {"something-${VERSION}.linux${NULL:+-${NULL}}.tar.gz", "something-v1.2.3.linux.tar.gz"},
                         }));

INSTANTIATE_TEST_SUITE_P(Errors, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"${}", "error: syntax error: bad substitution"},
                             {"${:x}", "error: syntax error: bad substitution"},
                             {"${:}", "error: syntax error: bad substitution"},
                             {"${{x}", "error: syntax error: bad substitution"},
                             {"${.}", "error: syntax error: bad substitution"},
                             {"${ PWD}", "error: syntax error: bad substitution"},
                             {"${", "error: syntax error: missing '}'"},
                             {"${PWD", "error: syntax error: missing '}'"},
                             {"${PWD:", "error: syntax error: missing '}'"},
                             {"${PWD:-word", "error: syntax error: missing '}'"},
                             {"${UNSET:-'abc}", "error: syntax error: missing '}'"},
                             {"${UNSET:-\"abc}", "error: syntax error: missing '}'"},
                             {"${UNSET:-${PWD}", "error: syntax error: missing '}'"},
                             {"${PWD:y}", "error: unsupported modifier (:y) in substitution"},
                             {"${PWD:한}", "error: unsupported modifier (:한) in substitution"},
                             {"${PWD=aaa}", "error: unsupported modifier (=) in substitution"},
                             {"${PWD^^}", "error: unsupported modifier (^) in substitution"},
                             {"${PWD:#x}", "error: unsupported modifier (:#) in substitution"},
                             {"${#PWD}", "error: unsupported modifier (P) in substitution"},
                             {"${FOO//ww}", "error: syntax error: missing '/' in ${}"},
                             {"${FOO//}", "error: syntax error: missing '/' in ${}"},
                             {"${FOO/x/", "error: syntax error: missing '}'"},
                             {"${FOO#\\x}", "error: invalid pattern (\\x) in substitution: invalid escape '\\x'"},
                         }));

INSTANTIATE_TEST_SUITE_P(Trims, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"${FOO#x}", "xyy"},        {"${FOO##x}", "xyy"},
                             {"${FOO#*x}", "xyy"},       {"${FOO##*x}", "yy"},
                             {"${FOO#*}", "xxyy"},       {"${FOO##*}", ""},
                             {"${FOO#}", "xxyy"},        {"${FOO##}", "xxyy"},
                             {"${FOO#y}", "xxyy"},       {"${FOO#*x*y}", "y"},
                             {"${FOO#?}", "xyy"},        {"${FOO#$X}", "xyy"},
                             {"${FOO#$NULL}", "xxyy"},   {"${FOO%y}", "xxy"},
                             {"${FOO%%y}", "xxy"},       {"${FOO%y*}", "xxy"},
                             {"${FOO%%y*}", "xx"},       {"${FOO%*}", "xxyy"},
                             {"${FOO%%*}", ""},          {"${FOO%}", "xxyy"},
                             {"${FOO%x}", "xxyy"},       {"${FOO%?y}", "xx"},
                             {"${FOO%%$NULL}", "xxyy"},  {"${STARS%%\\**}", "xx"},
                             {"${STARS%\\*}", "xx*"},    {"${GLOBS##*/}", "*.txt"},
                             {"${GLOBS%/*}", "/foo*/*"}, {"${REGEX#()[]{\\}^$.\\*\\?|\\\\}", "x"},
                             {"${KOREAN#?}", "국어"},    {"${KOREAN%?}", "한국"},
                             {"${KOREAN##*국}", "어"},   {"${VERSION#v}", "1.2.3"},
                             {"${VERSION%.*}", "v1.2"},  {"${VERSION%%.*}", "v1"},
                             {"${UNSET#x}", ""},         {"${LINES##*o}", "ne\ntwo"},
                             {"${PWD#\"/h\"}", "ome"},
                         }));

INSTANTIATE_TEST_SUITE_P(Replacements, ExpandWord,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"${FOO/x/-}", "-xyy"},
                             {"${FOO//x/-}", "--yy"},
                             {"${FOO/x*/-}", "-"},
                             {"${FOO/y/}", "xxy"},
                             {"${FOO//y/}", "xx"},
                             {"${FOO/z/-}", "xxyy"},
                             {"${FOO//?/ab}", "abababab"},
                             {"${GLOBS/$STAR_SLASH/.}", "/foo.*/*.txt"},
                             {"${GLOBS//$STAR_SLASH/.}", "/foo..*.txt"},
                             {"${PATHS/$SLASHTMP/}", "/tmp/bar.txt"},
                             {"${PATHS//$SLASHTMP/}", "/bar.txt"},
                             {"${PATHS//\\//_}", "_tmp_tmp_bar.txt"},
                             {"${PATHS//\\//\\/}", "\\/tmp\\/tmp\\/bar.txt"},
                             {"${URL/http:\\/\\//https:}", "https:google.de"},
                             {"${FOO/$NULL/ww}", "wwxxyy"},
                             {"${X//$NULL/-}", "-x-"},
                             {"${FOO///}", "xxyy"},
                             {"${FOO//xx/$SHELL}", "bashyy"},
                             {"${FOO//x/\\}}", "\\}\\}yy"},
                             {"${KOREAN//국/-}", "한-어"},
                             {"${UNSET//x/y}", ""},
                             {"${VERSION//./-}", "v1-2-3"},
                         }));

TEST(Expand, BacktickAsEscape) {
  ExpandOptions options;
  options.escape = '`';
  EXPECT_EQ(expand_or_message({"c:\\dir\\`$PWD", ""}, options), "c:\\dir\\$PWD");
  EXPECT_EQ(expand_or_message({"\"a`\"b\\c\"", ""}, options), "a\"b\\c");
  EXPECT_EQ(expand_or_message({"${PATHS//`//_}", ""}, options), "_tmp_tmp_bar.txt");
  EXPECT_EQ(expand_or_message({"${STARS%\\*}", ""}, options), "xx*");
}

TEST(Expand, HeredocBodiesKeepTheirQuotes) {
  ExpandOptions options;
  options.raw_quotes = true;
  EXPECT_EQ(expand_or_message({"don't \"say\" '$PWD' \\$PWD\n", ""}, options), "don't \"say\" '/home' $PWD\n");
}

TEST(Expand, RawEscapesStay) {
  ExpandOptions options;
  options.raw_escapes = true;
  EXPECT_EQ(expand_or_message({"a\\n\\$PWD $PWD \"\\t\\\"\"", ""}, options), "a\\n\\$PWD /home \\t\\\"");
}

TEST(Expand, TellsWhichVariablesItUsed) {
  const Expanded expanded =
      expand_word("$PWD ${NULL} ${UNSET} ${DEF:-$SHELL} ${ALT+x} $@ ${1} ${TRIM#x} '$SPACED'", k_lookup);
  EXPECT_THAT(expanded.used, UnorderedElementsAre("PWD", "NULL", "SHELL"));
  EXPECT_THAT(expanded.unset, UnorderedElementsAre("UNSET", "TRIM"));
}

TEST(Expand, RefusesBottomlessNesting) {
  std::string word;
  for (int i = 0; i < 20000; ++i) word += "${a:-";
  EXPECT_THAT(expand_or_message({word, ""}), HasSubstr("nested too deeply"));
}

TEST(Expand, LongValuesAreNotSlow) {
  std::string text(60000, 'a');
  const Lookup lookup = look_up_in({{"V", text}});
  EXPECT_EQ(expand_word("${V//a/b}", lookup).text, std::string(60000, 'b'));
  EXPECT_EQ(expand_word("${V%%*a}", lookup).text, "");
  EXPECT_EQ(expand_word("${V//ba/x}", lookup).text, text);
  EXPECT_EQ(expand_word("${V//a*b/x}", lookup).text, text);
}

struct WordsRow {
  std::string word;
  std::vector<std::string> expected;
};

TEST(Expand, SplitsIntoWords) {
  const std::vector<WordsRow> rows = {
      {"hello", {"hello"}},
      {"", {}},
      {"   ", {}},
      {"hello world", {"hello", "world"}},
      {"  hello\tworld\n", {"hello", "world"}},
      {"hello\\ world", {"hello world"}},
      {"\"hello world\"", {"hello world"}},
      {"'hello world' x", {"hello world", "x"}},
      {"he'll o'w x", {"hell ow", "x"}},
      {"$SPACED", {"a", "b", "c"}},
      {"\"$SPACED\"", {"a b  c"}},
      {"x$SPACED", {"xa", "b", "c"}},
      {"${SPACED}x", {"a", "b", "cx"}},
      {"${UNSET:-a b}", {"a", "b"}},
      {"$UNSET", {}},
      {"\"$UNSET\"", {}},
      {"80 $FOO/udp", {"80", "xxyy/udp"}},
      {"$LINES", {"one", "two"}},
      {"<< EOF x", {"<< EOF", "x"}},
  };
  for (const WordsRow& row : rows) EXPECT_EQ(expand_words(row.word, k_lookup), row.expected) << row.word;
  EXPECT_THROW(expand_words("'x", k_lookup), Error);
}

struct Growing {
  const char* word;
  bool fits;
};

class ExpandLimit : public ::testing::TestWithParam<Growing> {};

TEST_P(ExpandLimit, OfWhatVariablesMakeOfAWord) {
  const auto lookup = look_up_in({{"HALF", std::string(std::size_t{512} << 10, 'x')}, {"SMALL", "yy"}});
  const auto expanding = [&] { return expand_word(GetParam().word, lookup).text.size(); };
  if (GetParam().fits) {
    EXPECT_GT(expanding(), std::size_t{512} << 10);
    return;
  }
  try {
    ADD_FAILURE() << expanding();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("longer than 1 MiB"));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ExpandLimit,
                         ::testing::Values(Growing{"$SMALL$HALF", true}, Growing{"$HALF$HALF", true},
                                           Growing{"$HALF$HALF$SMALL", false}, Growing{"\"${HALF}$HALF$HALF\"", false},
                                           Growing{"${NONE:-$HALF$HALF$HALF}", false}, Growing{"${HALF//x/z}z", true},
                                           Growing{"$SMALL${HALF//x/$SMALL}", false},
                                           Growing{"${SMALL//y/$HALF}", false}));

}  // namespace
}  // namespace tektii::dockerfile
