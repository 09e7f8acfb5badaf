#include "registry/faults/fault_fixture.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <thread>

namespace tektii::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string scopes_of(const FaultRequest& request) {
  return join(request.all_queries("scope"), " ");
}

TEST_F(FaultTable, Row23_TokenExpiresWhileABlobIsSent) {
  start_bearer();
  server->on({"PUT", "/blobs/uploads/"}, [this](const FaultRequest&) {
    server->store().revoke_tokens();
    return challenge(realm() + ",error=\"invalid_token\"");
  });
  const std::string content = big_content();
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  const auto puts = server->requests("PUT", "/blobs/uploads/");
  ASSERT_EQ(puts.size(), 2U);
  EXPECT_EQ(puts[1].body_length, content.size()) << "sent again from its beginning";
  EXPECT_EQ(server->store().tokens_issued(), 2);
}

TEST_F(FaultTable, Row23_TokenExpiresBeforeTheManifest) {
  start_bearer();
  server->on({"PUT", "/manifests/"}, [this](const FaultRequest&) {
    server->store().revoke_tokens();
    return challenge(realm());
  });
  const SampleImage image = make_sample_image({"layer"});
  push(image, "app:1");
  EXPECT_EQ(server->store().manifest("app", "1"), image.sealed.manifest_bytes);
  EXPECT_EQ(server->count("PUT", "/manifests/"), 2);
}

TEST_F(FaultTable, Row24_OddLifetimesHaveAFloorOfAMinute) {
  for (const char* life : {"", ",\"expires_in\":0", ",\"expires_in\":1", ",\"expires_in\":-5",
                           ",\"expires_in\":\"300\"", ",\"expires_in\":null"}) {
    start_bearer();
    server->on({"", "/token", 1, 0}, [life](const FaultRequest&) {
      return Fault{.carry_out = true, .alter_body = [life](std::string& body) {
                     body = body.substr(0, body.find(",\"expires_in\"")) + life + "}";
                   }};
    });
    for (int i = 0; i < 4; ++i) put_blob(fmt::format("{}{}", life, i));
    EXPECT_EQ(token_requests().size(), 1U) << life;
    clock.advance(std::chrono::seconds(29));
    put_blob(fmt::format("{} after 29 s", life));
    EXPECT_EQ(token_requests().size(), 1U) << life;
    clock.advance(std::chrono::seconds(2));
    put_blob(fmt::format("{} after 31 s", life));
    EXPECT_EQ(token_requests().size(), 2U) << life;
  }
}

TEST_F(FaultTable, Row24_AHugeLifetimeIsBelievedForADay) {
  start_bearer();
  server->on({"", "/token", 1, 0}, Fault{.alter_body = [](std::string& body) {
               body = body.substr(0, body.find(",\"expires_in\"")) + ",\"expires_in\":99999999999999999999}";
             }});
  put_blob("one");
  clock.advance(std::chrono::hours(23));
  put_blob("two");
  EXPECT_EQ(token_requests().size(), 1U);
  clock.advance(std::chrono::hours(1));
  put_blob("three");
  EXPECT_EQ(token_requests().size(), 2U);
}

TEST_F(FaultTable, Row24_NoStormWhenATokenEnds) {
  start_bearer({.token_seconds = 1});
  put_blob("first");
  clock.advance(std::chrono::seconds(40));
  server->store().revoke_tokens();
  server->on({"", "/token", 1, 0}, Fault{.delay = std::chrono::milliseconds(50)});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] { put_blob(fmt::format("layer {}", i)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(token_requests().size(), 2U) << "one for the first blob, one for all the others";
}

TEST_F(FaultTable, Row25_InsufficientScopeIsWidened) {
  for (const int status : {401, 403}) {
    start_bearer();
    const std::string own = realm() + ",error=\"insufficient_scope\",scope=\"repository:app:pull,push,delete\"";
    put_blob("before");
    server->on({"POST", "/blobs/uploads/"}, challenge(own, status));
    put_blob("after");
    ASSERT_EQ(token_requests().size(), 2U) << status;
    EXPECT_EQ(scopes_of(token_requests().at(1)), "repository:app:pull,push,delete");
    put_blob("later");
    EXPECT_EQ(token_requests().size(), 2U) << "what was learned stays";
  }
}

TEST_F(FaultTable, Row25_AWiderTokenThatIsRefusedIsNotAskedForAgain) {
  start_bearer();
  put_blob("before");
  server->on({"POST", "/blobs/uploads/", 1, 1},
             challenge(realm() + ",error=\"insufficient_scope\",scope=\"repository:other:pull\""));
  server->on({"GET", "other", 1, 0}, Fault{.status = 403});
  put_blob("with what it had");
  put_blob("after");
  EXPECT_EQ(server->count("GET", "other"), 1);
}

TEST_F(FaultTable, Row25_ASubsetOfTheScopesIsNoError) {
  start_bearer({.enforce_scopes = true});
  server->store().add_blob("library/python", "base");
  put_blob("before");  // so that the mount is not what brings the challenge
  // Grants the destination alone, whatever is asked for.
  server->on({"GET", "library%2Fpython", 1, 0},
             Fault{.status = 200, .body = R"({"token":"narrow","expires_in":300,"scope":"repository:app:pull,push"})"});
  server->on({"POST", "mount="},
             challenge(realm() + ",error=\"insufficient_scope\",scope=\"repository:library/python:pull\""));
  put_blob("base", oci::BlobOrigin{server->name(), "library/python"});
  EXPECT_TRUE(arrived("base"));
  EXPECT_EQ(server->count("POST", "mount="), 1) << "the same question has the same answer";
}

TEST_F(FaultTable, Row25_RepeatedScopesRejectedDropTheMount) {
  start_bearer();
  server->on({"GET", "scope=repository%3Aapp%3Apull%2Cpush&scope="}, Fault{.status = 400});
  put_blob("before");
  for (const char* content : {"base 1", "base 2", "base 3"}) {
    server->store().add_blob("library/python", content);
    put_blob(content, oci::BlobOrigin{server->name(), "library/python"});
    EXPECT_TRUE(arrived(content));
  }
  EXPECT_EQ(server->count("GET", "library%2Fpython"), 1) << "a refused scope is not asked for again";
  EXPECT_EQ(server->count("POST", "mount="), 0);
  EXPECT_EQ(scopes_of(token_requests().at(1)), "repository:app:pull,push repository:library/python:pull")
      << "the destination first";
}

TEST_F(FaultTable, Row26_PostFallsBackToGet) {
  for (const int status : {404, 401, 400, 405}) {
    start_bearer();
    credentials.value = Credentials{"bob", {}, Secret("s3cret:with:colons"), {}};
    server->on({"POST", "/token"}, Fault{.status = status});
    put_blob("layer");
    const auto requests = token_requests();
    ASSERT_EQ(requests.size(), 2U) << status;
    EXPECT_EQ(requests[0].method, "POST");
    EXPECT_EQ(requests[1].method, "GET");
    EXPECT_EQ(requests[1].header("Authorization"), "Basic " + base64_encode("bob:s3cret:with:colons"));
    EXPECT_THAT(requests[1].target, Not(HasSubstr("s3cret")));
  }
}

TEST_F(FaultTable, Row26_GetFallsBackToPost) {
  for (const int status : {404, 405}) {
    start_bearer();
    server->on({"GET", "/token"}, Fault{.status = status});
    put_blob("layer");
    ASSERT_EQ(token_requests().size(), 2U) << status;
    EXPECT_THAT(token_requests()[1].body, HasSubstr("grant_type=password"));
    EXPECT_THAT(token_requests()[1].body, HasSubstr("username=bob&password=s3cret%3Awith%3Acolons"));
  }
  start_bearer();
  server->on({"GET", "/token", 1, 0}, Fault{.status = 401});
  EXPECT_EQ(error_of([&] { put_blob("layer"); }).kind(), ErrorKind::denied);
  EXPECT_EQ(token_requests().size(), 1U) << "a wrong password is not tried twice: accounts are locked for less";
}

TEST_F(FaultTable, Row26_ARefreshTokenThatChangesIsKept) {
  start_bearer();
  credentials.value = Credentials{{}, {}, Secret("first"), {}};
  server->on({"POST", "/token"},
             Fault{.alter_body = [](std::string& body) { body.insert(1, R"("refresh_token":"second",)"); }});
  put_blob("one");
  clock.advance(std::chrono::seconds(290));
  put_blob("two");
  ASSERT_EQ(token_requests().size(), 2U);
  EXPECT_THAT(token_requests()[0].body, HasSubstr("refresh_token=first"));
  EXPECT_THAT(token_requests()[1].body, HasSubstr("refresh_token=second"));
}

TEST_F(FaultTable, Row27_BusyTokenServersAreAskedAgain) {
  for (const int status : {500, 502, 503, 429}) {
    start_bearer();
    server->on({"GET", "/token"}, Fault{.status = status, .headers = {{"Retry-After", "1"}}});
    put_blob("layer");
    EXPECT_EQ(token_requests().size(), 2U) << status;
  }
}

TEST_F(FaultTable, Row27_ATokenServerThatStaysDownIsGivenUp) {
  start_bearer();
  server->on({"GET", "/token", 1, 0}, Fault{.status = 500});
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr("the token server answered 500"));
  EXPECT_THAT(error.what(), HasSubstr("/token"));
}

TEST_F(FaultTable, Row27_WebPagesAreNoTokens) {
  start_bearer();
  server->on({"GET", "/token", 1, 0},
             Fault{.status = 200, .headers = {{"Content-Type", "text/html"}}, .body = "<html>sign in</html>"});
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr("a web page instead of a token"));
}

TEST_F(FaultTable, Row27_EndlessTokensAreCutOff) {
  start_bearer();
  server->on({"GET", "/token", 1, 0}, Fault{.status = 200, .endless = true});
  EXPECT_EQ(error_of([&] { put_blob("layer"); }).kind(), ErrorKind::network);
  start_bearer();
  server->on({"GET", "/token", 1, 0},
             Fault{.status = 200, .body = R"({"token":")" + std::string(64 << 20, 't') + R"("})"});
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_THAT(error.what(), HasSubstr("longer than"));
}

TEST_F(FaultTable, Row27_RedirectsOfTheTokenServer) {
  start_bearer();
  server->on({"GET", "/token"}, [this](const FaultRequest& request) {
    return Fault{.status = 307, .headers = {{"Location", server->url("/token?moved&" + request.target.substr(7))}}};
  });
  put_blob("layer");
  EXPECT_EQ(token_requests().size(), 2U);
  for (const char* target :
       {"http://169.254.169.254/latest", "http://example.com/token", "https://10.1.2.3/token", "file:///etc/passwd"}) {
    start_bearer();
    server->on({"GET", "/token", 1, 0}, Fault{.status = 302, .headers = {{"Location", target}}});
    EXPECT_EQ(token_requests().size(), 0U);
    EXPECT_THROW(put_blob("layer"), Error) << target;
    EXPECT_EQ(token_requests().size(), 1U) << target;
  }
}

TEST_F(FaultTable, Row27_ARedirectNeverCarriesTheSecretElsewhere) {
  start_bearer();
  FaultServer elsewhere;
  credentials.value = Credentials{{}, {}, Secret("refresh"), {}};
  server->on({"POST", "/token", 1, 0}, Fault{.status = 307, .headers = {{"Location", elsewhere.url("/token")}}});
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_THAT(error.what(), HasSubstr("must not see the credentials"));
  EXPECT_EQ(elsewhere.count(), 0);
  start_bearer();
  server->on({"GET", "/token", 1, 0}, Fault{.status = 307, .headers = {{"Location", elsewhere.url("/token")}}});
  EXPECT_THROW(put_blob("layer"), Error);
  ASSERT_EQ(elsewhere.count(), 1);
  EXPECT_EQ(elsewhere.requests()[0].header("Authorization"), std::nullopt);
}

struct RealmCase {
  const char* realm;
  const char* reason;
};

TEST_F(FaultTable, Row28_RealmsThatAreRefusedWithTheReason) {
  const RealmCase cases[] = {
      {"http://169.254.169.254/latest/meta-data", "it is not https"},
      {"https://169.254.169.254/latest/meta-data", "link-local address"},
      {"https://[fe80::1]/t", "link-local address"},
      {"http://auth.example.com/token", "it is not https"},
      {"https://10.0.0.1/token", "private network"},
      {"https://192.168.1.1:8443/token", "private network"},
      {"https://0x7f000001/token", "this machine"},
      {"https://bob:pw@auth.example.com/", "contains credentials"},
      {"file:///etc/passwd", "neither http nor https"},
      {"gopher://auth.example.com/", "neither http nor https"},
      {"//auth.example.com/token", "not absolute"},
      {"https://auth.example.com\\\\@evil/", "backslash"},
  };
  for (const auto& [name, reason] : cases) {
    start();
    credentials.value = Credentials{"bob", Secret("s3cret"), {}, {}};
    server->on({"", "", 1, 0}, challenge(std::string("Bearer realm=\"") + name + "\""));
    const Error error = error_of([&] { client->check_push_access(reference("app:1"), {}); });
    EXPECT_EQ(error.kind(), ErrorKind::network) << name;
    EXPECT_THAT(error.what(), HasSubstr(reason)) << name;
    EXPECT_THAT(error.what(), HasSubstr(server->name())) << "says which registry named it";
    EXPECT_THAT(error.what(), Not(HasSubstr("bob:pw")));
  }
}

TEST_F(FaultTable, Row29_ChallengesInManyForms) {
  const std::string token = "/token\",service=\"a, \\\"b\\\"\"";
  const std::function<Fault(const std::string&)> forms[] = {
      [&](const std::string& url) {
        return challenge("Negotiate, Basic realm=\"x, y\", Bearer realm=\"" + url + token);
      },
      [&](const std::string& url) { return challenge("bEARER Realm=\"" + url + token + ", Basic realm=\"x\""); },
      [&](const std::string& url) { return challenge("NTLM TlRMTVNTUAAC=, Bearer realm=\"" + url + token); },
      [&](const std::string& url) {
        return Fault{.status = 401,
                     .headers = {{"WWW-Authenticate", "Unknown a=b, c=\"d\""},
                                 {"WWW-Authenticate", "Basic realm=\"x\""},
                                 {"www-authenticate", "Bearer realm=\"" + url + token}}};
      },
  };
  for (const auto& form : forms) {
    start_bearer();
    server->on({"HEAD", "/blobs/"}, form(server->url()));
    put_blob("layer");
    ASSERT_EQ(token_requests().size(), 1U);
    EXPECT_EQ(token_requests()[0].query("service"), "a, \"b\"");
  }
}

TEST_F(FaultTable, Row29_UnknownSchemesAloneAreARefusal) {
  start();
  server->on({"", "", 1, 0}, challenge("Negotiate, Digest realm=\"x\", nonce=\"y\""));
  const Error error = error_of([&] { client->check_push_access(reference("app:1"), {}); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_EQ(server->count(), 1);
}

TEST_F(FaultTable, Row30_ARefusalThatStaysEndsAfterTwoTries) {
  start_bearer();
  server->on({"GET", "/v2/", 1, 0}, [this](const FaultRequest&) { return challenge(realm()); });
  EXPECT_EQ(error_of([&] { client->check_push_access(reference("app:1"), {}); }).kind(), ErrorKind::denied);
  EXPECT_EQ(server->count("GET", "/v2/"), 2);
  EXPECT_EQ(error_of([&] { client->check_push_access(reference("app:1"), {}); }).kind(), ErrorKind::denied);
  EXPECT_EQ(server->count("GET", "/v2/"), 4);
  credentials.value = Credentials{{}, {}, {}, Secret("fixed")};
  client = std::make_unique<RegistryClient>(deps());
  server->clear_requests();
  EXPECT_EQ(error_of([&] { client->check_push_access(reference("app:1"), {}); }).kind(), ErrorKind::denied);
  EXPECT_EQ(server->count("GET", "/v2/"), 2);
  EXPECT_EQ(server->count("", "/token"), 0);
}

}  // namespace
}  // namespace tektii::registry
