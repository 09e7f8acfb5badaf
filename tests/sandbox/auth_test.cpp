#include "sandbox/auth.hpp"

#include "sandbox/token_service.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace tektii::sandbox {
namespace {

using namespace std::chrono_literals;

const std::string k_key(64, 'a');

TEST(ApiKey, IsMadeOnceAndReadableByItsOwnerAlone) {
  const TempDir directory;
  const auto file = directory.path() / "api-key";
  const std::string key = load_or_create_api_key(file).reveal();
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(load_or_create_api_key(file).reveal(), key);
}

TEST(ApiKey, DamagedFileIsAnError) {
  const TempDir directory;
  const auto file = directory.path() / "api-key";
  write_file_atomic(file, "not a key");
  EXPECT_THROW(load_or_create_api_key(file), Error);
}

TEST(HasApiKey, TakesBothHeaders) {
  const Secret key(k_key);
  const auto with = [](const char* name, const std::string& value) {
    HttpRequest request;
    request.headers[name] = value;
    return request;
  };
  EXPECT_TRUE(has_api_key(with("x-api-key", k_key), key));
  EXPECT_TRUE(has_api_key(with("authorization", "bearer " + k_key), key));
  EXPECT_FALSE(has_api_key(with("authorization", "Basic " + k_key), key));
  EXPECT_FALSE(has_api_key(with("x-api-key", std::string(64, 'b')), key));
  EXPECT_FALSE(has_api_key(with("x-api-key", k_key + "a"), key));
  EXPECT_FALSE(has_api_key(HttpRequest{}, key));
}

TEST(ParseBasic, SplitsAtTheFirstColon) {
  const auto credentials = parse_basic("Basic " + base64_encode("user:pass:word"));
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "user");
  EXPECT_EQ(credentials->password.reveal(), "pass:word");
  EXPECT_FALSE(parse_basic("Basic ***"));
  EXPECT_FALSE(parse_basic("Basic " + base64_encode("no colon")));
  EXPECT_FALSE(parse_basic("Bearer x"));
  EXPECT_FALSE(parse_basic(""));
}

TEST(ScopeParse, NameMayHoldColons) {
  const auto scope = Scope::parse("repository:127.0.0.1:5000/a/b:pull,push");
  ASSERT_TRUE(scope);
  EXPECT_EQ(scope->name, "127.0.0.1:5000/a/b");
  EXPECT_EQ(scope->actions, (std::set<std::string>{"pull", "push"}));
  EXPECT_FALSE(Scope::parse("repository"));
  EXPECT_FALSE(Scope::parse("repository:a"));
}

class TokenServiceTest : public ::testing::Test {
 protected:
  static std::vector<Scope> scopes(std::initializer_list<const char*> texts) {
    std::vector<Scope> result;
    for (const char* text : texts) result.push_back(*Scope::parse(text));
    return result;
  }
  static std::string header(const std::optional<BearerToken>& token) { return token ? "Bearer " + token->value : ""; }

  TokenService tokens_{Secret(k_key), 60s};
};

TEST_F(TokenServiceTest, KeyGetsWhatItAsksFor) {
  const auto token = tokens_.exchange({"tektii", Secret(k_key)}, scopes({"repository:a:pull", "registry:catalog:*"}));
  ASSERT_TRUE(token);
  EXPECT_GE(token->expires_in, 59s);
  EXPECT_EQ(tokens_.check(header(token), "repository", "a", "pull"), Access::granted);
  EXPECT_EQ(tokens_.check(header(token), "repository", "a", "push"), Access::insufficient_scope);
  EXPECT_EQ(tokens_.check(header(token), "repository", "b", "pull"), Access::insufficient_scope);
  EXPECT_EQ(tokens_.check(header(token), "registry", "catalog", "*"), Access::granted);
  EXPECT_EQ(tokens_.check(header(token), "", "", ""), Access::granted);
}

TEST_F(TokenServiceTest, AccessTokenIsForOneRepository) {
  const std::string access = tokens_.issue_access_token("s/image");
  const auto token =
      tokens_.exchange({"oauth2accesstoken", Secret(access)},
                       scopes({"repository:other:pull", "repository:s/image:pull,push,delete", "registry:catalog:*"}));
  ASSERT_TRUE(token);
  EXPECT_EQ(tokens_.check(header(token), "repository", "s/image", "push"), Access::granted);
  EXPECT_EQ(tokens_.check(header(token), "repository", "s/image", "delete"), Access::insufficient_scope);
  EXPECT_EQ(tokens_.check(header(token), "repository", "other", "pull"), Access::insufficient_scope);
  EXPECT_EQ(tokens_.check(header(token), "registry", "catalog", "*"), Access::insufficient_scope);
}

TEST_F(TokenServiceTest, WrongCredentialsGetNothing) {
  const std::string access = tokens_.issue_access_token("s/image");
  EXPECT_FALSE(tokens_.exchange({"tektii", Secret(std::string(64, 'b'))}, {}));
  EXPECT_FALSE(tokens_.exchange({"tektii", Secret(access)}, {}));
  EXPECT_FALSE(tokens_.exchange({"oauth2accesstoken", Secret(k_key)}, {}));
  EXPECT_FALSE(tokens_.exchange({"", Secret()}, {}));
  EXPECT_EQ(tokens_.check("", "repository", "a", "pull"), Access::no_token);
  EXPECT_EQ(tokens_.check("Bearer unknown", "repository", "a", "pull"), Access::invalid_token);
  EXPECT_EQ(tokens_.check("Basic eA==", "repository", "a", "pull"), Access::invalid_token);
}

TEST(TokenServiceExpiry, EndsBothKindsOfToken) {
  TokenService tokens(Secret(k_key), 0s);
  const std::string access = tokens.issue_access_token("s/image");
  EXPECT_FALSE(tokens.exchange({"oauth2accesstoken", Secret(access)}, {}));
  const auto token = tokens.exchange({"tektii", Secret(k_key)}, {});
  ASSERT_TRUE(token);
  EXPECT_EQ(tokens.check("Bearer " + token->value, "", "", ""), Access::invalid_token);
}

}  // namespace
}  // namespace tektii::sandbox
