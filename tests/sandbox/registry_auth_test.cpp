#include "fixture.hpp"
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>

namespace tektii::sandbox {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class RegistryAuthTest : public SandboxTest {
 protected:
  TestClient with(const std::string& authorization) const {
    return TestClient(sandbox_->url(), {{"Authorization", authorization}});
  }
  static std::string basic(const std::string& user, const std::string& password) {
    return "Basic " + base64_encode(user + ":" + password);
  }
};

TEST_F(RegistryAuthTest, ChallengeNamesRealmServiceAndScope) {
  TestClient anonymous(sandbox_->url());
  const Answer probe = anonymous.get("/v2/");
  EXPECT_EQ(probe.status, 401);
  EXPECT_EQ(probe.header("WWW-Authenticate"),
            "Bearer realm=\"" + sandbox_->url() + "/v2/token\",service=\"tektii-sandbox\"");
  EXPECT_EQ(probe.json()["errors"][0]["code"], "UNAUTHORIZED");
  EXPECT_THAT(anonymous.get("/v2/a/b/manifests/1").header("WWW-Authenticate"),
              HasSubstr(",scope=\"repository:a/b:pull\""));
  EXPECT_THAT(anonymous.send("POST", "/v2/a/b/blobs/uploads/").header("WWW-Authenticate"),
              HasSubstr(",scope=\"repository:a/b:pull,push\""));
  EXPECT_THAT(with("Bearer stale").get("/v2/").header("WWW-Authenticate"), HasSubstr("error=\"invalid_token\""));
  EXPECT_THAT(registry("a/b", "pull").send("POST", "/v2/a/b/blobs/uploads/").header("WWW-Authenticate"),
              HasSubstr("error=\"insufficient_scope\""));
}

TEST_F(RegistryAuthTest, TokenNeedsCredentials) {
  EXPECT_EQ(TestClient(sandbox_->url()).get("/v2/token?scope=repository:a:pull").status, 401);
  EXPECT_EQ(with(basic("tektii", "wrong")).get("/v2/token").status, 401);
  EXPECT_EQ(with(basic("oauth2accesstoken", sandbox_->api_key())).get("/v2/token").status, 401);
  const Answer answer = with(basic("tektii", sandbox_->api_key())).get("/v2/token");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json().at("token"), answer.json().at("access_token"));
  EXPECT_GT(answer.json().at("expires_in").get<int>(), 800);
  EXPECT_EQ(with("Bearer " + answer.json().at("token").get<std::string>()).get("/v2/").status, 200);
  EXPECT_EQ(TestClient(sandbox_->url()).send("DELETE", "/v2/token").status, 405);
}

TEST_F(RegistryAuthTest, TokenCanBePosted) {
  const std::string form =
      "grant_type=password&service=tektii-sandbox&username=tektii&scope=repository%3Aa%3Apull+repository%3Ab%3Apull"
      "&password=" +
      sandbox_->api_key();
  const Answer answer =
      TestClient(sandbox_->url()).send("POST", "/v2/token", form, {}, "application/x-www-form-urlencoded");
  ASSERT_EQ(answer.status, 200) << answer.body;
  TestClient client = with("Bearer " + answer.json().at("access_token").get<std::string>());
  EXPECT_EQ(client.get("/v2/a/tags/list").status, 404);
  EXPECT_EQ(client.get("/v2/b/tags/list").status, 404);
  EXPECT_EQ(client.get("/v2/c/tags/list").status, 401);
  EXPECT_EQ(TestClient(sandbox_->url())
                .send("POST", "/v2/token", "grant_type=refresh_token&refresh_token=x", {},
                      "application/x-www-form-urlencoded")
                .status,
            401);
}

TEST_F(RegistryAuthTest, AccessTokenOpensItsRepositoryOnly) {
  const std::string strategy = create_strategy();
  const std::string access = create_version(strategy).at("accessToken");
  const std::string repository = strategy + "/image";
  const auto request = [&](const std::string& scope, const std::string& path) {
    return with("Bearer " + bearer("oauth2accesstoken", access, scope)).send("POST", path).status;
  };
  EXPECT_EQ(request("repository:" + repository + ":pull,push", "/v2/" + repository + "/blobs/uploads/"), 202);
  EXPECT_EQ(request("repository:other:pull,push", "/v2/other/blobs/uploads/"), 401);
}

TEST_F(RegistryAuthTest, AccessTokenExpires) {
  start({.token_lifetime = 0s});
  const std::string access = create_version(create_strategy()).at("accessToken");
  EXPECT_EQ(with(basic("oauth2accesstoken", access)).get("/v2/token").status, 401);
  const std::string token = bearer("tektii", sandbox_->api_key(), "repository:a:pull");
  EXPECT_THAT(with("Bearer " + token).get("/v2/a/tags/list").header("WWW-Authenticate"),
              HasSubstr("error=\"invalid_token\""));
}

TEST_F(RegistryAuthTest, CatalogNeedsItsOwnScope) {
  ASSERT_EQ(push("b/two", "1", make_image("x")).status, 201);
  ASSERT_EQ(push("a", "1", make_image("y")).status, 201);
  EXPECT_THAT(registry("a").get("/v2/_catalog").header("WWW-Authenticate"), HasSubstr("scope=\"registry:catalog:*\""));
  TestClient client = with("Bearer " + bearer("tektii", sandbox_->api_key(), "registry:catalog:*"));
  EXPECT_EQ(client.get("/v2/_catalog").json(), (json{{"repositories", {"a", "b/two"}}}));
  const Answer page = client.get("/v2/_catalog?n=1");
  EXPECT_EQ(page.json(), (json{{"repositories", {"a"}}}));
  EXPECT_EQ(page.header("Link"), "</v2/_catalog?n=1&last=a>; rel=\"next\"");
  EXPECT_EQ(client.get("/v2/_catalog?n=1&last=a").json(), (json{{"repositories", {"b/two"}}}));
  EXPECT_EQ(client.send("DELETE", "/v2/_catalog").status, 405);
}

TEST_F(RegistryAuthTest, PathsAndNamesAreChecked) {
  EXPECT_EQ(registry("a").get("/v2/a/nothing/else").status, 404);
  EXPECT_EQ(registry("a").get("/v2/manifests/1").status, 404);
  const Answer answer = registry("a").get("/v2/Upper/manifests/1");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()["errors"][0]["code"], "NAME_INVALID");
  EXPECT_EQ(registry("a").get("/v2/..%2F..%2Fa/manifests/1").status, 400);
  EXPECT_EQ(registry("a/blobs/b").get("/v2/a/blobs/b/tags/list").json()["errors"][0]["code"], "NAME_UNKNOWN");
}

}  // namespace
}  // namespace tektii::sandbox
