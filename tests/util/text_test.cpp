#include <tektii/util/text.hpp>

#include <gmock/gmock.h>

namespace tektii {
namespace {

using testing::ElementsAre;

TEST(Text, TrimSplitJoin) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, CaseIsAsciiOnly) {
  EXPECT_EQ(to_lower("ABZ[É"), "abz[É");
  EXPECT_TRUE(equals_ignoring_case("From", "fROM"));
  EXPECT_FALSE(equals_ignoring_case("From", "Fro"));
}

TEST(Text, ParseIntTakesTheWholeText) {
  EXPECT_EQ(parse_int("-42"), -42);
  EXPECT_EQ(parse_int("9223372036854775807"), INT64_MAX);
  for (const auto* bad : {"", "1 ", " 1", "+1", "0x1", "1.0", "9223372036854775808", "-"})
    EXPECT_EQ(parse_int(bad), std::nullopt) << bad;
}

TEST(Text, EscapeControl) {
  EXPECT_EQ(escape_control("a\tb\x1b[31mc\x7f"), "a\tb\\x1b[31mc\\x7f");
  EXPECT_EQ(escape_control("a\nb\r"), "a\\x0ab\\x0d");
  EXPECT_EQ(escape_control("a\nb\r", true), "a\nb\\x0d");
  EXPECT_EQ(escape_control(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(escape_control("\xc2\x9b"
                           "2J é 漢"),
            "\\x9b2J é 漢");  // C1 CSI
  EXPECT_EQ(escape_control("\x9b"
                           "2J"),
            "\\x9b2J");                                                            // the same as a raw byte
  EXPECT_EQ(escape_control("\xc0\x9b\xed\xa0\x80"), "\\xc0\\x9b\\xed\\xa0\\x80");  // overlong, surrogate
}

TEST(Text, ClosestMatch) {
  const std::vector<std::string> words = {"FROM", "COPY", "RUN", "ENTRYPOINT", "LABEL"};
  EXPECT_EQ(closest_match("FORM", words), "FROM");
  EXPECT_EQ(closest_match("form", words), "FROM");
  EXPECT_EQ(closest_match("ENTRIPOINTS", words), "ENTRYPOINT");
  EXPECT_EQ(closest_match("LABLE", words), "LABEL");
  EXPECT_EQ(closest_match("XY", words), std::nullopt);
  EXPECT_EQ(closest_match("VOLUME", words), std::nullopt);
  EXPECT_EQ(closest_match("", words), std::nullopt);
}

TEST(Text, FormatBytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(12'345'678), "12.3 MB");
  EXPECT_EQ(format_bytes(999'960), "1.0 MB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "18.4 EB");
}

TEST(Text, FormatDuration) {
  EXPECT_EQ(format_duration(340), "340ms");
  EXPECT_EQ(format_duration(2199), "2.1s");
  EXPECT_EQ(format_duration(59999), "59.9s");
  EXPECT_EQ(format_duration(65000), "1m 05s");
  EXPECT_EQ(format_duration(3'725'000), "1h 02m 05s");
  EXPECT_EQ(format_duration(-5), "0ms");
}

TEST(Text, DisplayWidth) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("é"), 1U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // combining accent
  EXPECT_EQ(display_width("漢字"), 4U);
  EXPECT_EQ(display_width("한글"), 4U);
  EXPECT_EQ(display_width("🚀"), 2U);
  EXPECT_EQ(display_width("✓ │ →"), 5U);
  EXPECT_EQ(display_width("\u200b"), 0U);
  EXPECT_EQ(display_width("\xff\xfe"), 2U);
  EXPECT_EQ(display_width(""), 0U);
}

TEST(Text, Base64) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe", "//4="}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
  EXPECT_EQ(base64_decode("Zm8"), "fo");
  for (const auto* bad : {"Z", "Zg=", "Zg===", "Zm9v=", "Zm 8", "Zm-_", "=", "Zg==Zg=="})
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace tektii
