#include <tektii/util/error.hpp>
#include <tektii/util/go_text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii {
namespace {

using ::testing::ElementsAre;

TEST(GoText, Booleans) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_EQ(parse_go_bool(text), true) << text;
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) EXPECT_EQ(parse_go_bool(text), false) << text;
  for (const char* text : {"", "yes", "tRUE", "1 ", "on"}) EXPECT_FALSE(parse_go_bool(text)) << text;
}

TEST(GoText, Csv) {
  EXPECT_THAT(split_csv("a=1,b=2", "x"), ElementsAre("a=1", "b=2"));
  EXPECT_THAT(split_csv("\"a=1,2\",b", "x"), ElementsAre("a=1,2", "b"));
  EXPECT_THAT(split_csv("\"a=\"\"1\"\"\"", "x"), ElementsAre("a=\"1\""));
  EXPECT_THAT(split_csv("", "x"), ElementsAre(""));
  for (const char* text : {"a\"b", "\"a", "\"a\"b"}) EXPECT_THROW(split_csv(text, "x"), Error) << text;
}

}  // namespace
}  // namespace tektii
