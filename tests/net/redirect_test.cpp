#include <tektii/net/redirect.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>

namespace tektii::net {
namespace {

using ::testing::HasSubstr;

struct Seen {
  std::string method;
  std::string url;
  bool authorized;
  std::string body;
};

// Answers from a list and notes what it was asked.
class ScriptedTransport : public HttpTransport {
 public:
  HttpResponse send(const HttpRequest& request, ByteSink* /*sink*/, std::stop_token /*stop*/) override {
    std::string body;
    if (request.body) body = read_all(*request.body());
    seen.push_back({request.method, request.url, request.authorization.has_value(), body});
    HttpResponse response;
    response.url = request.url;
    if (answers.empty()) {
      response.status = 200;
      return response;
    }
    response.status = answers.front().first;
    if (!answers.front().second.empty()) response.headers.push_back({"Location", answers.front().second});
    answers.pop_front();
    return response;
  }

  std::deque<std::pair<int, std::string>> answers;
  std::vector<Seen> seen;
};

HttpRequest request_for(const std::string& method, const std::string& url) {
  HttpRequest request;
  request.method = method;
  request.url = url;
  request.authorization = Secret("Bearer t");
  return request;
}

TEST(Redirect, DropsAuthorizationWhenTheOriginChanges) {
  struct Case {
    const char* from;
    const char* to;
    bool kept;
  };
  const Case cases[] = {
      {"https://a/x", "https://a/y", true},           {"https://a/x", "/y", true},
      {"https://a/x", "https://a:443/y", true},       {"https://a/x", "https://b/y", false},
      {"https://a/x", "https://a:444/y", false},      {"http://localhost/x", "https://localhost/y", false},
      {"https://a/x", "https://a.evil.com/y", false},
  };
  for (const Case& c : cases) {
    ScriptedTransport transport;
    transport.answers = {{307, c.to}};
    EXPECT_EQ(send_with_redirects(transport, request_for("GET", c.from), nullptr, {}).status, 200);
    ASSERT_EQ(transport.seen.size(), 2U) << c.to;
    EXPECT_TRUE(transport.seen[0].authorized);
    EXPECT_EQ(transport.seen[1].authorized, c.kept) << c.from << " -> " << c.to;
  }
}

TEST(Redirect, AuthorizationDoesNotComeBack) {
  ScriptedTransport transport;
  transport.answers = {{302, "https://b/"}, {302, "https://a/again"}};
  send_with_redirects(transport, request_for("GET", "https://a/"), nullptr, {});
  ASSERT_EQ(transport.seen.size(), 3U);
  EXPECT_FALSE(transport.seen[2].authorized);
}

TEST(Redirect, KeepsMethodAndBodyOn307And308) {
  for (const int status : {307, 308}) {
    ScriptedTransport transport;
    transport.answers = {{status, "/elsewhere"}};
    HttpRequest request = request_for("PUT", "https://a/x");
    request.body = [] { return std::make_unique<StringSource>("payload"); };
    request.body_size = 7;
    send_with_redirects(transport, request, nullptr, {});
    ASSERT_EQ(transport.seen.size(), 2U);
    EXPECT_EQ(transport.seen[1].method, "PUT");
    EXPECT_EQ(transport.seen[1].body, "payload");
  }
}

TEST(Redirect, LeavesOtherAnswersAlone) {
  for (const int status : {200, 301, 302, 303, 304, 404}) {
    ScriptedTransport transport;
    transport.answers = {{status, "/elsewhere"}};
    EXPECT_EQ(send_with_redirects(transport, request_for("POST", "https://a/x"), nullptr, {}).status, status);
    EXPECT_EQ(transport.seen.size(), 1U);
  }
}

void expect_refusal(std::deque<std::pair<int, std::string>> answers, const char* text,
                    const char* from = "https://a/") {
  ScriptedTransport transport;
  transport.answers = std::move(answers);
  try {
    send_with_redirects(transport, request_for("GET", from), nullptr, {});
    FAIL() << "followed: " << text;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

TEST(Redirect, RefusesBadTargets) {
  expect_refusal({{302, "http://a/"}}, "from https to http");
  expect_refusal({{302, ""}}, "without a Location");
  expect_refusal({{302, "file:///etc/passwd"}}, "neither http nor https");
  expect_refusal({{302, "https://bob:pw@a/"}}, "credentials in it");
  expect_refusal({{302, "/x\r\nHost: b"}}, "control character");
  expect_refusal(std::deque<std::pair<int, std::string>>(11, {302, "/loop"}), "more than 10 times");
}

TEST(Redirect, TenAreStillFollowed) {
  ScriptedTransport transport;
  transport.answers = std::deque<std::pair<int, std::string>>(10, {302, "/loop"});
  EXPECT_EQ(send_with_redirects(transport, request_for("GET", "https://a/"), nullptr, {}).status, 200);
}

TEST(Redirect, TheCallerMayRefuseAHop) {
  ScriptedTransport transport;
  transport.answers = {{302, "https://b/"}};
  const auto check = [](const Url& url) { throw Error(ErrorKind::denied, "not " + url.host); };
  EXPECT_THROW(send_with_redirects(transport, request_for("GET", "https://a/"), nullptr, {}, check), Error);
  EXPECT_EQ(transport.seen.size(), 1U);
}

}  // namespace
}  // namespace tektii::net
