#include "registry/docker_config.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string auths(const std::string& key, const std::string& user = "bob") {
  return fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", key, base64_encode(user + ":pw"));
}

std::optional<Credentials> find(const std::string& json, const std::string& registry,
                                const std::string& repository = "team/app") {
  return find_in_docker_config(json, "/c/config.json", registry, repository).credentials;
}

struct KeyCase {
  const char* key;
  const char* registry;
  bool found;
};

class ConfigKey : public ::testing::TestWithParam<KeyCase> {};

TEST_P(ConfigKey, Form) {
  const auto credentials = find(auths(GetParam().key), GetParam().registry);
  EXPECT_EQ(credentials.has_value(), GetParam().found);
  if (credentials) {
    EXPECT_EQ(credentials->username, "bob");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ConfigKey,
    ::testing::Values(KeyCase{"ghcr.io", "ghcr.io", true}, KeyCase{"https://ghcr.io", "ghcr.io", true},
                      KeyCase{"http://ghcr.io/", "ghcr.io", true}, KeyCase{"https://ghcr.io/v2/", "ghcr.io", true},
                      KeyCase{"https://GHCR.io/v1/", "ghcr.io", true}, KeyCase{"ghcr.io/v2/", "ghcr.io", true},
                      KeyCase{"ghcr.io/team", "ghcr.io", true}, KeyCase{"ghcr.io/team/app", "ghcr.io", true},
                      KeyCase{"ghcr.io/other", "ghcr.io", false}, KeyCase{"ghcr.io/tea", "ghcr.io", false},
                      KeyCase{"ghcr.io:443", "ghcr.io", false}, KeyCase{"evil-ghcr.io", "ghcr.io", false},
                      KeyCase{"127.0.0.1:5000", "127.0.0.1:5000", true},
                      KeyCase{"127.0.0.1:5000", "127.0.0.1:5001", false},
                      KeyCase{"https://index.docker.io/v1/", "docker.io", true},
                      KeyCase{"docker.io", "docker.io", true}, KeyCase{"index.docker.io", "docker.io", true},
                      KeyCase{"registry-1.docker.io", "docker.io", true},
                      KeyCase{"https://registry-1.docker.io/v2/", "docker.io", true},
                      KeyCase{"https://index.docker.io/v1/", "ghcr.io", false}));

TEST(DockerConfig, TheNarrowestKeyWins) {
  EXPECT_THAT(docker_config_keys("r.io", "a/b"), ElementsAre("r.io/a/b", "r.io/a", "r.io"));
  const std::string json = fmt::format(R"({{"auths":{{"r.io":{{"auth":"{}"}},"r.io/team":{{"auth":"{}"}}}}}})",
                                       base64_encode("wide:x"), base64_encode("narrow:x"));
  EXPECT_EQ(find(json, "r.io", "team/app")->username, "narrow");
  EXPECT_EQ(find(json, "r.io", "other/app")->username, "wide");
}

TEST(DockerConfig, PasswordMayHoldColonsAndNulPaddingGoes) {
  const std::string json =
      fmt::format(R"({{"auths":{{"r.io":{{"auth":"{}"}}}}}})", base64_encode(std::string("bob:a:b:c\0\0", 11)));
  const auto credentials = find(json, "r.io");
  EXPECT_EQ(credentials->username, "bob");
  EXPECT_EQ(credentials->password.reveal(), "a:b:c");
}

TEST(DockerConfig, TokensAndPlainFields) {
  const auto identity = find(R"({"auths":{"r.io":{"auth":"Ym9iOg==","identitytoken":"refresh"}}})", "r.io");
  EXPECT_EQ(identity->identity_token.reveal(), "refresh");
  EXPECT_EQ(find(R"({"auths":{"r.io":{"registrytoken":"bear"}}})", "r.io")->registry_token.reveal(), "bear");
  const auto plain = find(R"({"auths":{"r.io":{"username":"u","password":"p"}}})", "r.io");
  EXPECT_EQ(plain->username + plain->password.reveal(), "up");
}

TEST(DockerConfig, NothingForTheRegistryIsAnonymous) {
  for (const char* json : {"", "  \n", "{}", "\xef\xbb\xbf{}", R"({"auths":null})", R"({"auths":{}})",
                           R"({"auths":[],"credHelpers":7})", R"({"credHelpers":{"other.io":"x"}})"}) {
    EXPECT_FALSE(find(json, "r.io").has_value()) << json;
  }
}

struct BadCase {
  const char* json;
  const char* text;
};

class UnusableConfig : public ::testing::TestWithParam<BadCase> {};

TEST_P(UnusableConfig, NamesFileAndReason) {
  try {
    find(GetParam().json, "r.io");
    ADD_FAILURE() << "accepted " << GetParam().json;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::denied);
    EXPECT_THAT(error.what(), HasSubstr("/c/config.json"));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().text));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, UnusableConfig,
                         ::testing::Values(BadCase{"{", "not a JSON object"}, BadCase{"[]", "not a JSON object"},
                                           BadCase{R"({"auths":{"r.io":{"auth":"!!!"}}})", "not base64"},
                                           BadCase{R"({"auths":{"r.io":{"auth":"Ym9i"}}})", "not user:password"},
                                           BadCase{R"({"auths":{"r.io":7}})", "not an object"},
                                           BadCase{R"({"auths":{"r.io":{}}})",
                                                   "'r.io' can't be used: the entry is empty"}));

struct HelperCase {
  const char* json;
  const char* registry;
  const char* name;  // empty: none
  const char* server;
  bool certain;
};

class HelperOf : public ::testing::TestWithParam<HelperCase> {};

TEST_P(HelperOf, Registry) {
  const auto helper = find_in_docker_config(GetParam().json, "/c/config.json", GetParam().registry, "a/b").helper;
  ASSERT_EQ(helper.has_value(), *GetParam().name != '\0');
  if (!helper) return;
  EXPECT_EQ(helper->name, GetParam().name);
  EXPECT_EQ(helper->server, GetParam().server);
  EXPECT_EQ(helper->certain, GetParam().certain);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HelperOf,
    ::testing::Values(
        HelperCase{R"({"credHelpers":{"r.io":"gcr"}})", "r.io", "gcr", "r.io", true},
        HelperCase{R"({"credHelpers":{"r.io":"gcr"}})", "s.io", "", "", true},
        HelperCase{R"({"credHelpers":{"r.io":"gcr"},"credsStore":"desktop"})", "r.io", "gcr", "r.io", true},
        HelperCase{R"({"credHelpers":{"r.io":""},"credsStore":"desktop"})", "r.io", "desktop", "r.io", false},
        HelperCase{R"({"credsStore":"desktop"})", "r.io:5000", "desktop", "r.io:5000", false},
        HelperCase{R"({"credsStore":"desktop","auths":{"r.io":{}}})", "r.io", "desktop", "r.io", true},
        HelperCase{R"({"credsStore":"desktop","auths":{"https://r.io":{}}})", "r.io", "desktop", "r.io", true},
        HelperCase{R"({"credsStore":"desktop","auths":{"https://index.docker.io/v1/":{}}})", "docker.io", "desktop",
                   "https://index.docker.io/v1/", true},
        HelperCase{R"({"credHelpers":{"docker.io":"pass"}})", "docker.io", "pass", "https://index.docker.io/v1/",
                   true}));

TEST(DockerConfig, ReadFromItsFile) {
  const TempDir directory;
  const auto file = directory.path() / "config.json";
  const auto source = make_docker_config_credentials(file);
  EXPECT_FALSE(source->find("r.io", "a", {}).has_value());
  write_file_atomic(file, auths("r.io"));
  EXPECT_EQ(source->find("r.io", "a", {})->username, "bob");
  write_file_atomic(file, "{");
  try {
    source->find("r.io", "a", {});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(file.string()));
  }
}

TEST(FixedCredentials, ForOneRegistryThenTheNext) {
  const auto inner = make_fixed_credentials("b.io", {"inner", Secret("x"), {}, {}}, nullptr);
  const auto outer = make_fixed_credentials("a.io", {"outer", Secret("x"), {}, {}}, inner.get());
  EXPECT_EQ(outer->find("a.io", "r", {})->username, "outer");
  EXPECT_EQ(outer->find("b.io", "r", {})->username, "inner");
  EXPECT_FALSE(outer->find("c.io", "r", {}).has_value());
}

}  // namespace
}  // namespace tektii::registry
