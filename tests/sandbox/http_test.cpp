#include "sandbox/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

struct RangeCase {
  const char* header;
  RangeKind kind;
  std::uint64_t first;
  std::uint64_t size;
};

class ParseRange : public ::testing::TestWithParam<RangeCase> {};

TEST_P(ParseRange, OfTenBytes) {
  const RangeCase& c = GetParam();
  const RangeRequest range = parse_range(c.header, 10);
  EXPECT_EQ(range.kind, c.kind);
  EXPECT_EQ(range.range.first, c.first);
  EXPECT_EQ(range.range.size, c.size);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseRange,
    ::testing::Values(
        RangeCase{"", RangeKind::whole, 0, 0}, RangeCase{"bytes=0-", RangeKind::part, 0, 10},
        RangeCase{"bytes=0-0", RangeKind::part, 0, 1}, RangeCase{"bytes=4-7", RangeKind::part, 4, 4},
        RangeCase{"bytes=4-99", RangeKind::part, 4, 6}, RangeCase{"bytes=-3", RangeKind::part, 7, 3},
        RangeCase{"bytes=-30", RangeKind::part, 0, 10}, RangeCase{"bytes=-0", RangeKind::unsatisfiable, 0, 0},
        RangeCase{"bytes=10-", RangeKind::unsatisfiable, 0, 0}, RangeCase{"bytes=7-4", RangeKind::whole, 0, 0},
        RangeCase{"bytes=-", RangeKind::whole, 0, 0}, RangeCase{"bytes=a-b", RangeKind::whole, 0, 0},
        RangeCase{"bytes=0-1,3-4", RangeKind::whole, 0, 0}, RangeCase{"lines=0-1", RangeKind::whole, 0, 0}));

TEST(ParseRangeOfNothing, IsUnsatisfiable) {
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, RangeKind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-1", 0).kind, RangeKind::unsatisfiable);
}

TEST(PathSegments, KeepEmptyOnes) {
  EXPECT_THAT(path_segments("/"), ElementsAre());
  EXPECT_THAT(path_segments("/v2/a/b"), ElementsAre("v2", "a", "b"));
  EXPECT_THAT(path_segments("/v2/a/"), ElementsAre("v2", "a", ""));
}

TEST(PathSegments, AreDecodedAfterTheSplit) {
  EXPECT_THAT(path_segments("/v1/..%2Fx/a+b%3A%zz"), ElementsAre("v1", "../x", "a+b:%zz"));
}

TEST(ParseQuery, DecodesNamesAndValues) {
  EXPECT_THAT(
      parse_query("a=1&b=x%20y&b=%2Fz+w&c&&d=%zz"),
      UnorderedElementsAre(Pair("a", "1"), Pair("b", "x y"), Pair("b", "/z w"), Pair("c", ""), Pair("d", "%zz")));
}

HttpRequest request_with(const std::string& text, bool complete = true) {
  HttpRequest request;
  request.body = [text, complete](ByteSink& sink) {
    sink.write(as_byte_span(text));
    return complete;
  };
  return request;
}

TEST(ReadBody, StopsAtTheLimitAndTellsWhy) {
  HttpRequest fits = request_with("12345");
  EXPECT_EQ(read_body(fits, 5).status, BodyStatus::complete);
  HttpRequest too_long = request_with("123456");
  EXPECT_EQ(read_body(too_long, 5).status, BodyStatus::too_long);
  HttpRequest cut = request_with("123", false);
  EXPECT_EQ(read_body(cut, 5).status, BodyStatus::broken_off);
  HttpRequest none;
  EXPECT_EQ(read_body(none, 5).text, "");
}

}  // namespace
}  // namespace tektii::sandbox
