#include "registry/error_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

net::HttpResponse answer(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

TEST(DescribeAnswer, RepeatsTheServersWords) {
  EXPECT_EQ(
      describe_answer(answer(403, R"({"errors":[{"code":"DENIED","message":"no"},{"code":"X"},{"message":"y"}]})")),
      "403 (DENIED: no; X; y)");
  EXPECT_EQ(describe_answer(answer(500, "out of\ndisk")), "500 (out of)");
  for (const char* body : {"", "<html><body>502</body></html>", "{\"errors\":{}}", "{\"errors\":[1,{}]}", "{"}) {
    EXPECT_EQ(describe_answer(answer(502, body)), "502") << body;
  }
}

TEST(DescribeAnswer, EscapesAndShortens) {
  const std::string text = describe_answer(answer(400, R"({"errors":[{"code":"A","message":"\u001b[31mred\n"}]})"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("\\x1b[31mred"));
  EXPECT_LT(describe_answer(answer(400, std::string(100000, 'x'))).size(), 400U);
}

TEST(AnswerError, KindFollowsTheStatus) {
  const std::pair<int, ErrorKind> cases[] = {
      {401, ErrorKind::denied},  {403, ErrorKind::denied},       {400, ErrorKind::failure}, {404, ErrorKind::not_found},
      {413, ErrorKind::failure}, {429, ErrorKind::rate_limited}, {500, ErrorKind::network}, {503, ErrorKind::network},
  };
  for (const auto& [status, kind] : cases) {
    EXPECT_EQ(make_answer_error("r", std::nullopt, answer(status, "")).kind(), kind) << status;
  }
}

TEST(AnswerError, HintsAtTheLogin) {
  const auto hint = [](const char* registry, std::optional<std::string> user) {
    return make_answer_error(registry, user, answer(401, "")).hints().at(0);
  };
  EXPECT_THAT(hint("ghcr.io", std::nullopt), HasSubstr("tektii login ghcr.io"));
  EXPECT_THAT(hint("ghcr.io", std::nullopt), HasSubstr("docker and podman"));
  EXPECT_THAT(hint("docker.io", std::nullopt), HasSubstr("'tektii login'"));
  EXPECT_THAT(hint("ghcr.io", "bob"), HasSubstr("user 'bob' was refused"));
}

TEST(AnswerError, HintsForWhatTheUserCanChange) {
  EXPECT_THAT(
      make_answer_error("r", std::nullopt, answer(404, R"({"errors":[{"code":"NAME_UNKNOWN"}]})")).hints().at(0),
      HasSubstr("repository to be created"));
  EXPECT_THAT(make_answer_error("r", std::nullopt, answer(413, "")).hints().at(0), HasSubstr("size of a request"));
}

}  // namespace
}  // namespace tektii::registry
