#include "registry/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::registry {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

const auto k_now = std::chrono::system_clock::time_point(seconds(1'700'000'000));

TEST(Token, LifeHasAFloorOfAMinute) {
  const std::pair<const char*, int> cases[] = {
      {R"({"token":"t"})", 60},
      {R"({"token":"t","expires_in":300})", 300},
      {R"({"token":"t","expires_in":0})", 60},
      {R"({"token":"t","expires_in":1})", 60},
      {R"({"token":"t","expires_in":-5})", 60},
      {R"({"token":"t","expires_in":"300"})", 60},
      {R"({"token":"t","expires_in":null})", 60},
      {R"({"token":"t","expires_in":90.5})", 90},
      {R"({"token":"t","expires_in":1e300})", 86400},
      {R"({"token":"t","expires_in":99999999999})", 86400},
  };
  for (const auto& [json, life] : cases) {
    const Token token = parse_token(json, k_now);
    EXPECT_EQ(token.value.reveal(), "t");
    EXPECT_EQ(token.expires - k_now, seconds(life)) << json;
  }
}

TEST(Token, EitherNameWillDo) {
  EXPECT_EQ(parse_token(R"({"access_token":"a"})", k_now).value.reveal(), "a");
  EXPECT_EQ(parse_token(R"({"access_token":"a","token":"t"})", k_now).value.reveal(), "t");
  EXPECT_EQ(parse_token(R"({"access_token":"a","token":""})", k_now).value.reveal(), "a");
  EXPECT_EQ(parse_token(R"({"access_token":"a","token":7})", k_now).value.reveal(), "a");
}

TEST(Token, AnswersWithoutOneAreRefused) {
  for (const char* json : {"", "<html>", "[]", "{}", R"({"token":""})", R"({"token":7})", R"({"token":"a\r\nX: y"})"}) {
    try {
      parse_token(json, k_now);
      ADD_FAILURE() << json;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::network);
      EXPECT_THAT(error.what(), HasSubstr("token server"));
    }
  }
}

TEST(BasicAuthorization, EncodesUserAndPassword) {
  const Credentials credentials{"Aladdin", Secret("open:sesame"), {}, {}};
  EXPECT_EQ(basic_authorization(credentials).reveal(), "Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ==");
}

}  // namespace
}  // namespace tektii::registry
