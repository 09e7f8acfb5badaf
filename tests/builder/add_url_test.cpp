#include "builder/copy_fixture.hpp"
#include "builder/remote_source.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

TEST(AddUrl, MistakesAreFoundWithoutARequest) {
  const std::vector<std::pair<const char*, const char*>> table = {
      {"http://host:99999/x", "the port is not a number"},
      {"http://host:0/x", "the port is not a number"},
      {"https://host:a/x", "the port is not a number"},
      {"http:///x", "it has no host"},
      {"http://user@/x", "it has no host"},
      {"http://[]/x", "it has no host"},
      {"http://[::1/x", "has no ']'"},
      {"http://[::g]/x", "the host is malformed"},
      {"http://[::1]8/x", "the host is malformed"},
      {"http://a!b/x", "the host is malformed"},
      {"http://host/a b", "white space"},
      {"http://host\\a/b", "backslash"},
      {"https://host:99999/a.git", "the port is not a number"},
  };
  for (const auto& [url, message] : table) {
    try {
      parse_add_reference(url);
      ADD_FAILURE() << "no error: " << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << url;
      EXPECT_THAT(error.what(), HasSubstr(message)) << url;
    }
  }
  for (const auto* url : {"http://host", "https://u:p@host:65535/x?y#z", "http://[2001:DB8::1]:80/x", "http://host:/x",
                          "http://b\xc3\xbc.example/x"}) {
    EXPECT_EQ(parse_add_reference(url).kind, AddReference::Kind::url) << url;
  }
}

using AddUrlTest = CopyTest;

TEST_F(AddUrlTest, MistakesAreFoundBeforeAnythingRuns) {
  const auto error = build_error("FROM python:3.11\nADD http://me:TOPSECRET@host:99999/x /\n");
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("TOPSECRET")));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->column, 5);
  EXPECT_TRUE(opened_.empty());
}

TEST_F(AddUrlTest, CredentialsAreNotShown) {
  fake_remote_.files["http://user:TOPSECRET@host/f"] = {"x", std::nullopt};
  const auto result = build("FROM scratch\nADD http://user:TOPSECRET@host/f /f\n");
  EXPECT_EQ(result.config.history.back().created_by, "ADD http://host/f /f # buildkit");
  EXPECT_EQ(outcome("[stage-0 1/1] ADD http://host/f /f"), StepOutcome::done);
  for (const auto& [title, how] : progress_.outcomes) EXPECT_THAT(title, ::testing::Not(HasSubstr("TOPSECRET")));
}

}  // namespace
}  // namespace tektii::builder
