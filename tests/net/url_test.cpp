#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::net {
namespace {

using ::testing::HasSubstr;

TEST(Url, TakesAnUrlApart) {
  const Url url = Url::parse("HTTPS://bob:pw@Registry.Example.com:5001/v2/a%2Fb/?x=%2B&y#frag");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.userinfo, "bob:pw");
  EXPECT_EQ(url.host, "registry.example.com");
  EXPECT_EQ(url.port, 5001);
  EXPECT_EQ(url.path, "/v2/a%2Fb/");
  EXPECT_EQ(url.query, "?x=%2B&y");
  EXPECT_EQ(url.fragment, "#frag");
  EXPECT_EQ(url.target(), "/v2/a%2Fb/?x=%2B&y");
}

TEST(Url, ComposesWhatItParsed) {
  for (const char* text : {"http://a", "http://a/", "https://a:1?q", "http://[::1]:5000/v2/", "http://u@h/p?q=1#f",
                           "https://h/p//q/../r?_state=a%3D%3D&b=/+"}) {
    EXPECT_EQ(Url::parse(text).str(), text);
  }
}

TEST(Url, KnowsItsOrigin) {
  EXPECT_EQ(Url::parse("http://a/x").origin(), "http://a:80");
  EXPECT_EQ(Url::parse("https://A/x").origin(), "https://a:443");
  EXPECT_EQ(Url::parse("https://a:443/x").origin(), Url::parse("https://a/y").origin());
  EXPECT_NE(Url::parse("https://a:80/").origin(), Url::parse("http://a:80/").origin());
}

TEST(Url, RefusesWhatCouldMeanSomethingElse) {
  for (const char* text :
       {"", "registry.example.com/v2/", "ftp://a/", "file:///etc/passwd", "http://", "http:///x", "http://a:0/",
        "http://a:65536/", "http://a:-1/", "http://a:+80/", "http://a:8x/", "http://a b/", "http://a/\r\nHost: b",
        "http://a\\@b/", "http://[::1/", "http://[::1]x/", "http://[]/", "http://[a%00]/", "http://a,b/"}) {
    EXPECT_THROW(Url::parse(text), Error) << text;
  }
}

TEST(Url, TheLastAtSignEndsTheUserInfo) {
  EXPECT_EQ(Url::parse("http://a@b@c/").host, "c");
}

TEST(Url, DoesNotRepeatSecretsInItsErrors) {
  try {
    Url::parse("http://bob:hunter2@host:99999/");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
  }
}

struct ResolveCase {
  const char* base;
  const char* reference;
  const char* expected;
};

class ResolveUrl : public ::testing::TestWithParam<ResolveCase> {};

TEST_P(ResolveUrl, Resolves) {
  const auto& [base, reference, expected] = GetParam();
  EXPECT_EQ(resolve_url(Url::parse(base), reference).str(), expected);
}

INSTANTIATE_TEST_SUITE_P(Forms, ResolveUrl,
                         ::testing::Values(ResolveCase{"https://r:5/v2/x/?a=1", "https://s/y?_state=a%2Fb%3D",
                                                       "https://s/y?_state=a%2Fb%3D"},
                                           ResolveCase{"https://r:5/v2/x/?a=1", "//s:9/y", "https://s:9/y"},
                                           ResolveCase{"https://r:5/v2/x/?a=1", "/v2/y?z", "https://r:5/v2/y?z"},
                                           ResolveCase{"https://r:5/v2/x/?a=1", "y/z?q", "https://r:5/v2/x/y/z?q"},
                                           ResolveCase{"https://r:5/v2/x/?a=1", "?q=2", "https://r:5/v2/x/?q=2"},
                                           ResolveCase{"https://r:5/v2/x/?a=1", "", "https://r:5/v2/x/?a=1"},
                                           ResolveCase{"https://r:5", "y", "https://r:5/y"},
                                           ResolveCase{"https://r:5/v2/", "/y?time=10:30", "https://r:5/y?time=10:30"},
                                           ResolveCase{"https://r:5/v2/", "/y#part", "https://r:5/y#part"}));

TEST(ResolveUrl, RefusesOtherSchemesAndLineBreaks) {
  const Url base = Url::parse("https://r/");
  EXPECT_THROW(resolve_url(base, "file:///etc/passwd"), Error);
  EXPECT_THROW(resolve_url(base, "javascript:x"), Error);
  EXPECT_THROW(resolve_url(base, "/x\r\nHost: y"), Error);
}

TEST(WithQuery, AppendsWithoutTouchingWhatIsThere) {
  const auto digest = [](const char* url) { return with_query(Url::parse(url), "digest", "sha256:ab").str(); };
  EXPECT_EQ(digest("https://r/u"), "https://r/u?digest=sha256%3Aab");
  EXPECT_EQ(digest("https://r/u?_state=a+b/%3D%3D"), "https://r/u?_state=a+b/%3D%3D&digest=sha256%3Aab");
  EXPECT_EQ(digest("https://r/u?"), "https://r/u?digest=sha256%3Aab");
  EXPECT_EQ(digest("https://r/u?a&"), "https://r/u?a&digest=sha256%3Aab");
}

TEST(RedactUrl, HidesUserInfoAndQuery) {
  EXPECT_EQ(redact_url("https://bob:pw@h:1/p?sig=x#f"), "https://...@h:1/p?...");
  EXPECT_EQ(redact_url("https://h/p@x"), "https://h/p@x");
  EXPECT_EQ(redact_url("no url"), "no url");
}

TEST(HostScope, ToldByLiteral) {
  const std::pair<const char*, HostScope> cases[] = {
      {"localhost", HostScope::loopback},
      {"LOCALHOST", HostScope::loopback},
      {"a.localhost", HostScope::loopback},
      {"127.0.0.1", HostScope::loopback},
      {"127.255.0.9", HostScope::loopback},
      {"[::1]", HostScope::loopback},
      {"::1", HostScope::loopback},
      {"0.0.0.0", HostScope::loopback},
      {"2130706433", HostScope::loopback},
      {"0x7f.1", HostScope::loopback},
      {"[::ffff:127.0.0.1]", HostScope::loopback},
      {"169.254.169.254", HostScope::link_local},
      {"[fe80::1]", HostScope::link_local},
      {"[::ffff:a9fe:a9fe]", HostScope::link_local},
      {"10.1.2.3", HostScope::private_address},
      {"172.31.0.1", HostScope::private_address},
      {"192.168.1.1", HostScope::private_address},
      {"100.64.0.1", HostScope::private_address},
      {"[fd00:ec2::23]", HostScope::private_address},
      {"172.32.0.1", HostScope::public_host},
      {"8.8.8.8", HostScope::public_host},
      {"[2001:db8::1]", HostScope::public_host},
      {"localhost.example.com", HostScope::public_host},
      {".localhost", HostScope::public_host},
  };
  for (const auto& [host, scope] : cases) EXPECT_EQ(host_scope(host), scope) << host;
}

TEST(LoopbackHost, IsStrict) {
  for (const char* host : {"localhost", "x.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"127.1", "0.0.0.0", "0x7f000001", "127.0.0.1.example.com", "[::2]", "localhost.com", ""}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace tektii::net
