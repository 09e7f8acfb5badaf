#include "registry/endpoint.hpp"

#include "registry/scope.hpp"
#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

namespace tektii::registry {
namespace {

TEST(Endpoint, PlainHttpForLoopbackOnly) {
  const std::pair<const char*, const char*> cases[] = {
      {"docker.io", "https://registry-1.docker.io/v2/"},
      {"index.docker.io", "https://registry-1.docker.io/v2/"},
      {"ghcr.io", "https://ghcr.io/v2/"},
      {"registry.example.com:5000", "https://registry.example.com:5000/v2/"},
      {"localhost:5000", "http://localhost:5000/v2/"},
      {"registry.localhost", "http://registry.localhost/v2/"},
      {"127.0.0.1:5000", "http://127.0.0.1:5000/v2/"},
      {"[::1]:5000", "http://[::1]:5000/v2/"},
      {"192.168.1.5:5000", "https://192.168.1.5:5000/v2/"},
  };
  for (const auto& [registry, url] : cases) EXPECT_EQ(endpoint_for(registry).url("/v2/").str(), url);
}

struct HandedOut {
  const char* registry;
  const char* url;
  bool allowed;
};

class HandedOutUrl : public ::testing::TestWithParam<HandedOut> {};

TEST_P(HandedOutUrl, IsHeldAgainstTheRules) {
  const auto& [registry, url, allowed] = GetParam();
  const auto check = [&] { check_handed_out_url(endpoint_for(registry), net::Url::parse(url), "token server"); };
  if (allowed) {
    EXPECT_NO_THROW(check()) << url;
  } else {
    try {
      check();
      ADD_FAILURE() << "allowed " << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::network);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, HandedOutUrl,
                         ::testing::Values(HandedOut{"docker.io", "https://auth.docker.io/token", true},
                                           HandedOut{"docker.io", "http://auth.docker.io/token", false},
                                           HandedOut{"docker.io", "https://169.254.169.254/latest", false},
                                           HandedOut{"docker.io", "https://10.0.0.1/token", false},
                                           HandedOut{"docker.io", "https://localhost/token", false},
                                           HandedOut{"docker.io", "http://localhost/token", false},
                                           HandedOut{"docker.io", "https://[::1]/token", false},
                                           HandedOut{"docker.io", "https://2130706433/token", false},
                                           HandedOut{"docker.io", "https://bob:pw@auth.docker.io/token", false},
                                           HandedOut{"10.0.0.1:5000", "https://10.0.0.1:5001/token", true},
                                           HandedOut{"10.0.0.1:5000", "https://10.0.0.2:5001/token", false},
                                           HandedOut{"127.0.0.1:5000", "http://localhost:5001/token", true},
                                           HandedOut{"localhost:5000", "http://auth.example.com/token", false},
                                           HandedOut{"localhost:5000", "https://auth.example.com/token", true},
                                           HandedOut{"localhost:5000", "https://169.254.169.254/", false}));

TEST(Scope, CoversSubsetsOfItsActions) {
  const Scopes push = push_scope("a/b");
  EXPECT_TRUE(covers(push, "repository:a/b:pull"));
  EXPECT_TRUE(covers(push, "repository:a/b:push,pull"));
  EXPECT_FALSE(covers(push, "repository:a/b:pull,delete"));
  EXPECT_FALSE(covers(push, "repository:a/c:pull"));
  EXPECT_FALSE(covers(pull_scope("a/b"), "repository:a/b:pull,push"));
  EXPECT_FALSE(covers({}, "registry:catalog:*"));
}

}  // namespace
}  // namespace tektii::registry
