#include "net/proxy.hpp"

#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

#include <map>

namespace tektii::net {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Proxy> choose(const char* url, const Variables& variables) {
  return proxy_for(Url::parse(url), [&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

std::string proxy(const char* url, const Variables& variables) {
  const auto found = choose(url, variables);
  return found ? found->url : "none";
}

TEST(Proxy, IsNamedByTheSchemeOfTheUrlInEitherCase) {
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    EXPECT_EQ(proxy("http://example.com/", {{name, "http://p:1"}}), "http://p:1") << name;
  }
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    EXPECT_EQ(proxy("https://example.com/", {{name, "http://p:1"}}), "http://p:1") << name;
  }
  EXPECT_EQ(proxy("https://example.com/", {{"HTTP_PROXY", "http://p:1"}}), "none");
  EXPECT_EQ(proxy("http://example.com/", {{"HTTPS_PROXY", "http://p:1"}}), "none");
  EXPECT_EQ(proxy("http://example.com/", {}), "none");
}

TEST(Proxy, LowerCaseGoesFirstAndTheSchemeBeforeAll) {
  EXPECT_EQ(proxy("https://example.com/", {{"https_proxy", "l:1"}, {"HTTPS_PROXY", "u:1"}, {"ALL_PROXY", "a:1"}}),
            "l:1");
  EXPECT_EQ(proxy("https://example.com/", {{"HTTPS_PROXY", "u:1"}, {"all_proxy", "a:1"}}), "u:1");
}

TEST(Proxy, UpperCaseHttpProxyIsIgnoredInCgi) {
  EXPECT_EQ(proxy("http://example.com/", {{"HTTP_PROXY", "http://p:1"}, {"REQUEST_METHOD", "GET"}}), "none");
}

TEST(Proxy, LoopbackIsReachedDirectly) {
  for (const char* url :
       {"http://127.0.0.1:5000/", "http://localhost/", "https://[::1]/", "http://a.localhost:5000/"}) {
    EXPECT_EQ(proxy(url, {{"HTTP_PROXY", "http://p:1"}, {"https_proxy", "http://p:1"}}), "none") << url;
  }
}

TEST(Proxy, NoProxyHasManyForms) {
  const struct {
    const char* list;
    const char* url;
    bool excluded;
  } cases[] = {
      {"*", "https://example.com/", true},
      {"example.com", "https://example.com/", true},
      {"example.com", "https://EXAMPLE.com./", true},
      {"example.com", "https://a.b.example.com/", true},
      {"example.com", "https://badexample.com/", false},
      {"Example.COM.", "https://example.com/", true},
      {".example.com", "https://a.example.com/", true},
      {".example.com", "https://example.com/", true},
      {"*.example.com", "https://a.example.com/", true},
      {"a.com, example.com", "https://example.com/", true},
      {"a.com example.com", "https://example.com/", true},
      {",,", "https://example.com/", false},
      {"example.com:8443", "https://example.com:8443/", true},
      {"example.com:8443", "https://example.com/", false},
      {"example.com:443", "https://example.com/", true},
      {"10.1.2.3", "https://10.1.2.3:5000/", true},
      {"10.1.2.3:5000", "https://10.1.2.3:5000/", true},
      {"10.1.2.3:5001", "https://10.1.2.3:5000/", false},
      {"10.0.0.0/8", "https://10.1.2.3:5000/", true},
      {"10.0.0.0/16", "https://10.1.2.3:5000/", false},
      {"10.1.2.0/23", "https://10.1.3.3/", true},
      {"10.0.0.0/33", "https://10.1.2.3/", false},
      {"10.0.0.0/x", "https://10.1.2.3/", false},
      {"0.0.0.0/0", "https://10.1.2.3/", true},
      {"0.0.0.0/0", "https://[fd00::1]/", false},
      {"10.0.0.0/8", "https://10.example.com/", false},
      {"fd00::/8", "https://[fd12::1]:5000/", true},
      {"[fd00::]/8", "https://[fd12::1]:5000/", true},
      {"fd00::/8", "https://[fe80::1]:5000/", false},
      {"fd00::1", "https://[fd00:0::1]:5000/", true},
      {"[fd00::1]", "https://[fd00::1]/", true},
      {"[fd00::1]:5000", "https://[fd00::1]:5000/", true},
      {"[fd00::1]:5000", "https://[fd00::1]/", false},
      {"2.3", "https://10.1.2.3/", false},
  };
  for (const auto& test : cases) {
    for (const char* variable : {"no_proxy", "NO_PROXY"}) {
      const auto found = proxy(test.url, {{"ALL_PROXY", "http://p:1"}, {variable, test.list}});
      EXPECT_EQ(found, test.excluded ? "none" : "http://p:1") << test.list << " and " << test.url;
    }
  }
}

TEST(Proxy, IsShownWithoutItsLogin) {
  EXPECT_EQ(choose("https://example.com/", {{"HTTPS_PROXY", "http://me:geheim@p:1/"}})->shown(),
            "http://...@p:1/ (HTTPS_PROXY)");
  EXPECT_EQ(choose("https://example.com/", {{"all_proxy", "me:geheim@p:1"}})->shown(), "http://...@p:1 (all_proxy)");
}

TEST(Proxy, OfAnUnknownKindIsRefused) {
  EXPECT_THROW(proxy("https://example.com/", {{"HTTPS_PROXY", "ftp://p:1"}}), Error);
}

}  // namespace
}  // namespace tektii::net
