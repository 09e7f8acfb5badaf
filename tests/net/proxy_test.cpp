#include "net/proxy.hpp"

#include <gtest/gtest.h>

#include <map>

namespace tektii::net {
namespace {

std::optional<std::string> proxy(const char* url, std::map<std::string, std::string> variables) {
  return proxy_for(Url::parse(url), [&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

TEST(Proxy, UpperCaseHttpProxyIsHonouredForHttp) {
  EXPECT_EQ(proxy("http://example.com/", {{"HTTP_PROXY", "http://p:1"}}), "http://p:1");
}

TEST(Proxy, LibcurlDecidesWhereItKnowsTheVariable) {
  EXPECT_EQ(proxy("https://example.com/", {{"HTTP_PROXY", "http://p:1"}}), std::nullopt);
  EXPECT_EQ(proxy("http://example.com/", {{"HTTP_PROXY", "http://p:1"}, {"http_proxy", "http://q:1"}}), std::nullopt);
  EXPECT_EQ(proxy("http://example.com/", {}), std::nullopt);
}

TEST(Proxy, UpperCaseHttpProxyIsIgnoredInCgi) {
  EXPECT_EQ(proxy("http://example.com/", {{"HTTP_PROXY", "http://p:1"}, {"REQUEST_METHOD", "GET"}}), std::nullopt);
}

TEST(Proxy, LoopbackIsReachedDirectly) {
  for (const char* url : {"http://127.0.0.1:5000/", "http://localhost/", "https://[::1]/"}) {
    EXPECT_EQ(proxy(url, {{"HTTP_PROXY", "http://p:1"}, {"https_proxy", "http://p:1"}}), "") << url;
  }
}

}  // namespace
}  // namespace tektii::net
