#include "registry/client_fixture.hpp"

#include <atomic>
#include <thread>

namespace tektii::registry {
namespace {

using tektii::testing::FakeRegistry;
using tektii::testing::ServerRequest;
using tektii::testing::ServerResponse;
using ::testing::HasSubstr;
using ::testing::Not;

using Answer = std::optional<ServerResponse>;

class AuthTest : public ClientTest {
 protected:
  void log_in() { credentials.value = Credentials{"bob", Secret("s3cret:with:colons"), {}, {}}; }
  void start_bearer(FakeRegistry::Options options = {}) {
    options.auth = FakeRegistry::Auth::bearer;
    start(std::move(options));
  }
  void put_blob(const std::string& content, std::optional<oci::BlobOrigin> origin = std::nullopt) {
    client->target(reference("app:1"))->put_blob(upload_of(content, std::move(origin)), {});
  }
  std::vector<ServerRequest> token_requests() const {
    std::vector<ServerRequest> found;
    for (const ServerRequest& request : server->server().requests()) {
      if (request.path() == "/token") found.push_back(request);
    }
    return found;
  }
};

TEST_F(AuthTest, BasicIsSentOnceItIsAskedFor) {
  start({.auth = FakeRegistry::Auth::basic});
  log_in();
  push(make_sample_image({"layer"}), "app:1");
  const auto requests = server->server().requests();
  ASSERT_EQ(requests.size(), 8U) << "one more than without authentication";
  EXPECT_EQ(requests[0].header("Authorization"), std::nullopt);
  for (std::size_t i = 1; i < requests.size(); ++i) EXPECT_TRUE(requests[i].header("Authorization")) << i;
  EXPECT_EQ(credentials.asked, 1);
}

TEST_F(AuthTest, BasicWithoutCredentialsIsDeniedWithAHint) {
  start({.auth = FakeRegistry::Auth::basic});
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.hints().at(0), HasSubstr("tektii login " + server->name()));
}

TEST_F(AuthTest, WrongPasswordsAreTriedOnce) {
  start({.auth = FakeRegistry::Auth::basic});
  credentials.value = Credentials{"bob", Secret("wrong"), {}, {}};
  const Error error = error_of([&] { client->check_push_access(reference("app:1"), {}); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.hints().at(0), HasSubstr("user 'bob' was refused"));
  EXPECT_THAT(error.what(), Not(HasSubstr("wrong")));
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(AuthTest, AnonymousTokensForPublicImages) {
  start_bearer({.anonymous_tokens = true});
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "1");
  client->image(reference("app:1"))->resolve({}, {});
  ASSERT_EQ(token_requests().size(), 1U);
  const ServerRequest token = token_requests()[0];
  EXPECT_EQ(token.method, "GET");
  EXPECT_EQ(token.header("Authorization"), std::nullopt);
  EXPECT_EQ(token.query("service"), "fake, \"quoted\"");
  EXPECT_EQ(token.query("scope"), "repository:app:pull");
}

TEST_F(AuthTest, OneTokenServesAWholePush) {
  start_bearer();
  log_in();
  push(make_sample_image({"one", "two"}), "app:1");
  ASSERT_EQ(token_requests().size(), 1U);
  EXPECT_EQ(token_requests()[0].query("scope"), "repository:app:pull,push");
  EXPECT_EQ(token_requests()[0].query("account"), "bob");
  EXPECT_EQ(lines().size(), 12U) << "401 and token, three per blob, manifest";
}

TEST_F(AuthTest, ManyThreadsShareOneTokenRequest) {
  start_bearer();
  log_in();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] { put_blob("layer " + std::to_string(i)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server->tokens_issued(), 1);
  EXPECT_EQ(count("PUT"), 8);
}

TEST_F(AuthTest, AMountAlsoAsksForItsSource) {
  start_bearer();
  log_in();
  server->add_blob("library/python", "base");
  put_blob("base", oci::BlobOrigin{server->name(), "library/python"});
  ASSERT_EQ(token_requests().size(), 1U);
  EXPECT_THAT(token_requests()[0].all_queries("scope"),
              ::testing::ElementsAre("repository:app:pull,push", "repository:library/python:pull"));
  EXPECT_EQ(count("PUT"), 0);
}

TEST_F(AuthTest, AMountWhoseTokenIsRefusedBecomesAnUpload) {
  start_bearer();
  log_in();
  server->set_intercept([](const ServerRequest& request) -> Answer {
    if (request.path() != "/token" || request.all_queries("scope").size() < 2) return std::nullopt;
    return ServerResponse{.status = 403};
  });
  put_blob("base", oci::BlobOrigin{server->name(), "library/python"});
  EXPECT_EQ(count("PUT"), 1);
}

TEST_F(AuthTest, ARevokedTokenIsRenewedAndTheBodySentAgain) {
  start_bearer();
  log_in();
  int puts = 0;
  server->set_intercept([&](const ServerRequest& request) -> Answer {
    if (request.method == "PUT" && ++puts == 1) server->revoke_tokens();
    return std::nullopt;
  });
  const std::string content(200000, 'r');
  put_blob(content);
  EXPECT_TRUE(server->has_blob("app", oci::Digest::of_bytes(content).str()));
  EXPECT_EQ(count("PUT"), 2);
  EXPECT_EQ(count("POST"), 1) << "the upload went on, it was not started again";
  EXPECT_EQ(server->tokens_issued(), 2);
}

TEST_F(AuthTest, TokensAreRenewedBeforeTheyEnd) {
  start_bearer();
  log_in();
  put_blob("one");
  clock.advance(std::chrono::seconds(260));
  put_blob("two");
  EXPECT_EQ(server->tokens_issued(), 1);
  clock.advance(std::chrono::seconds(15));
  put_blob("three");
  EXPECT_EQ(server->tokens_issued(), 2);
  EXPECT_EQ(count("GET", "/token"), 2);
}

TEST_F(AuthTest, A401ThatStaysEndsAfterTwoTries) {
  start_bearer();
  log_in();
  server->set_intercept([&](const ServerRequest& request) -> Answer {
    if (request.path() == "/token") return std::nullopt;
    return ServerResponse{.status = 401,
                          .headers = {{"WWW-Authenticate", "Bearer realm=\"" + server->server().url("/token") + "\""}}};
  });
  const Error error = error_of([&] { client->check_push_access(reference("app:1"), {}); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_EQ(count("GET", "/v2/"), 2);
}

TEST_F(AuthTest, ScopesThatTheChallengeNamesAreAdded) {
  start_bearer();
  log_in();
  server->set_intercept([&](const ServerRequest& request) -> Answer {
    if (request.path() != "/v2/" || request.header("Authorization") == "Bearer token-2") return std::nullopt;
    const std::string header = "Bearer error=\"insufficient_scope\",scope=\"repository:app:pull,delete\",realm=\"" +
                               server->server().url("/token") + "\"";
    return ServerResponse{.status = 401, .headers = {{"WWW-Authenticate", header}}};
  });
  client->target(reference("app:1"))->put_blob(upload_of("x"), {});  // token-1
  client->check_push_access(reference("app:1"), {});
  EXPECT_THAT(token_requests().at(1).all_queries("scope"), ::testing::ElementsAre("repository:app:pull,push,delete"));
}

TEST_F(AuthTest, RefusedCredentialsAreDenied) {
  start_bearer();
  credentials.value = Credentials{"bob", Secret("wrong"), {}, {}};
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.what(), HasSubstr("the token server answered 401 (UNAUTHORIZED: incorrect username or password)"));
}

TEST_F(AuthTest, AnIdentityTokenIsTradedIn) {
  start_bearer();
  credentials.value = Credentials{"<token>", {}, Secret("re/fresh+"), {}};
  put_blob("layer");
  ASSERT_EQ(token_requests().size(), 1U);
  const ServerRequest token = token_requests()[0];
  EXPECT_EQ(token.method, "POST");
  EXPECT_EQ(token.header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_THAT(token.body, HasSubstr("grant_type=refresh_token"));
  EXPECT_THAT(token.body, HasSubstr("refresh_token=re%2Ffresh%2B"));
  EXPECT_THAT(token.body, HasSubstr("scope=repository%3Aapp%3Apull%2Cpush"));
}

TEST_F(AuthTest, ARegistryTokenIsUsedAsItIs) {
  start_bearer();
  log_in();
  put_blob("layer");  // makes token-1 known to the server
  credentials.value = Credentials{{}, {}, {}, Secret("token-1")};
  RegistryClient other(RegistryDeps{*transport, credentials, &clock, {}});
  other.target(reference("app:1"))->put_blob(upload_of("another"), {});
  EXPECT_EQ(server->tokens_issued(), 1);
}

TEST_F(AuthTest, ABusyTokenServerIsAskedAgain) {
  start_bearer();
  log_in();
  int asked = 0;
  server->set_intercept([&](const ServerRequest& request) -> Answer {
    if (request.path() != "/token" || ++asked > 2) return std::nullopt;
    return ServerResponse{.status = 503};
  });
  put_blob("layer");
  EXPECT_EQ(asked, 3);
}

TEST_F(AuthTest, TokenServersThatMakeNoSense) {
  for (const char* body : {"<html>login</html>", "{}", "[1]"}) {
    start_bearer({.token_body = body});
    log_in();
    const Error error = error_of([&] { put_blob("layer"); });
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr("token server"));
  }
}

TEST_F(AuthTest, ForbiddenRealmsGetNoCredentials) {
  start();
  log_in();
  for (const char* realm : {"http://169.254.169.254/token", "https://10.0.0.1/token", "http://example.com/token",
                            "file:///etc/passwd", "https://bob@localhost/"}) {
    server->set_intercept([realm](const ServerRequest&) -> Answer {
      return ServerResponse{.status = 401,
                            .headers = {{"WWW-Authenticate", std::string("Bearer realm=\"") + realm + "\""}}};
    });
    EXPECT_THROW(put_blob(realm), Error) << realm;
  }
}

TEST_F(AuthTest, CredentialsStayWithTheRegistry) {
  start({.auth = FakeRegistry::Auth::basic});
  log_in();
  tektii::testing::HttpServer storage(
      [](const ServerRequest&) { return ServerResponse{.status = 201, .body = "layer"}; });
  server->set_intercept([&](const ServerRequest& request) -> Answer {
    if (!request.header("Authorization")) return std::nullopt;
    if (request.method == "POST") return ServerResponse{.status = 202, .headers = {{"Location", storage.url("/up")}}};
    if (request.method == "GET") return ServerResponse{.status = 307, .headers = {{"Location", storage.url("/down")}}};
    return std::nullopt;
  });
  put_blob("layer");
  StringSink sink;
  const auto upload = upload_of("layer");
  storage.clear_requests();
  put_blob("other");
  ASSERT_EQ(storage.requests().size(), 1U);
  EXPECT_EQ(storage.requests()[0].header("Authorization"), std::nullopt);
  EXPECT_EQ(storage.requests()[0].body, "other");
  storage.clear_requests();
  // The storage answers 201, which is no pull; what matters is what it was sent.
  EXPECT_THROW(client->image(reference("app:1"))->fetch(upload.blob, sink, {}), Error);
  ASSERT_EQ(storage.requests().size(), 1U);
  EXPECT_EQ(storage.requests()[0].header("Authorization"), std::nullopt);
}

}  // namespace
}  // namespace tektii::registry
