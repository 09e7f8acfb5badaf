#include "registry/challenge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::registry {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> schemes(const std::vector<std::string>& headers) {
  std::vector<std::string> names;
  for (const Challenge& challenge : parse_challenges(headers)) names.push_back(challenge.scheme);
  return names;
}

TEST(Challenge, DockerHub) {
  const auto all = parse_challenges(
      {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")"});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].scheme, "bearer");
  EXPECT_EQ(all[0].param("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(all[0].param("service"), "registry.docker.io");
  EXPECT_EQ(all[0].param("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(all[0].param("missing"), "");
}

struct Odd {
  const char* header;
  const char* realm;
  const char* service;
};

class OddQuoting : public ::testing::TestWithParam<Odd> {};

TEST_P(OddQuoting, IsUnderstood) {
  const auto all = parse_challenges({GetParam().header});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].scheme, "bearer");
  EXPECT_EQ(all[0].param("realm"), GetParam().realm);
  EXPECT_EQ(all[0].param("service"), GetParam().service);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, OddQuoting,
    ::testing::Values(Odd{R"(BEARER Realm="https://a/t",SERVICE="s")", "https://a/t", "s"},
                      Odd{R"(Bearer realm=https://a/t?x=1,service=s)", "https://a/t?x=1", "s"},
                      Odd{R"(Bearer realm='https://a/t', service='s')", "https://a/t", "s"},
                      Odd{R"(Bearer realm="https://a/t" service="s")", "https://a/t", "s"},
                      Odd{R"(Bearer  realm = "https://a/t" , service = "s" ,)", "https://a/t", "s"},
                      Odd{R"(Bearer service="a, \"b\" \\c",realm="https://a/t")", "https://a/t", R"(a, "b" \c)"},
                      Odd{R"(Bearer realm="https://a/t",service="never closed)", "https://a/t", "never closed"},
                      Odd{R"(, ,Bearer realm="https://a/t",,service="s")", "https://a/t", "s"},
                      Odd{R"(Bearer realm="",service="s")", "", "s"}));

TEST(Challenge, SeveralInOneHeaderAndInMany) {
  EXPECT_THAT(schemes({R"(Basic realm="a, b", Bearer realm="https://c/t",service="d", Negotiate)"}),
              ElementsAre("basic", "bearer", "negotiate"));
  EXPECT_THAT(schemes({"Negotiate", "Basic realm=x", "Bearer realm=y"}), ElementsAre("negotiate", "basic", "bearer"));
}

TEST(Challenge, SchemeDataIsNoParameter) {
  EXPECT_THAT(schemes({R"(Negotiate YIIabc==, Basic realm="x")"}), ElementsAre("negotiate", "basic"));
}

TEST(Challenge, GarbageIsHarmless) {
  for (const char* header : {"", ",", "=", "\"", "==,=\"", "\"\"", "realm=x", "Bearer =", "Bearer realm",
                             "Bearer realm=", "Bearer realm=\"", "Bearer realm=\"\\", "Bearer \"x\"=y"}) {
    EXPECT_LE(parse_challenges({header}).size(), 3U) << header;
  }
}

}  // namespace
}  // namespace tektii::registry
