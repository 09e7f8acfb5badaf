#include "api/fake_transport.hpp"
#include <tektii/api/client.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::api {
namespace {

using test::FakeClock;
using test::FakeTransport;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string k_key(64, 'a');

struct Fixture : ::testing::Test {
  FakeTransport transport;
  FakeClock clock;
  std::stop_source stop;

  Client client(std::string url = "https://api.test", std::string key = k_key) {
    return Client({std::move(url), Secret(std::move(key))}, {transport, clock});
  }
};

template <typename Action>
Error error_from(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::failure, "no error");
}

std::string hints_of(const Error& error) {
  std::string all;
  for (const std::string& hint : error.hints()) all += hint + "\n";
  return all;
}

using ClientTest = Fixture;

TEST_F(ClientTest, SendsBothKeyHeadersAndTheBody) {
  transport.answer(201, R"({"id":"strat_1","name":"Mömentum"})");
  const auto answer = client().create_strategy("Mömentum", stop.get_token());
  EXPECT_EQ(answer.value.id, "strat_1");
  EXPECT_EQ(answer.value.name, "Mömentum");
  ASSERT_EQ(transport.requests.size(), 1U);
  const auto& request = transport.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://api.test/v1/strategies");
  EXPECT_EQ(request.body, R"({"name":"Mömentum"})");
  EXPECT_EQ(request.header("X-API-Key"), k_key);
  EXPECT_EQ(request.bearer, "Bearer " + k_key);
  EXPECT_EQ(request.header("Content-Type"), "application/json");
}

TEST_F(ClientTest, KeepsTheAnswerByteForByte) {
  const std::string text = "{\n  \"data\" : {\"id\":\"strat_1\", \"name\" : \"x\"}}\n";
  transport.answer(200, text);
  EXPECT_EQ(client().get_strategy("strat_1", stop.get_token()).json, text);
}

TEST_F(ClientTest, PathsOfEveryCall) {
  Client api = client();
  const auto token = stop.get_token();
  const ScenarioConfig config = ScenarioConfig::parse(
      R"({"strategyVersionId":"ver_1","subscriptions":[{"instrument":"X","events":["candle_1h"]}],)"
      R"("startTime":"2024-01-01T00:00:00Z","endTime":"2024-02-01T00:00:00Z"})",
      "s.json");
  transport.answer(200, R"([])").answer(200, R"({"versions":[]})").answer(200, R"({"id":"ver_1"})");
  transport.answer(200, R"({"versionId":"ver_1","repositoryUrl":"h/r","accessToken":"t"})").answer(204, "");
  transport.answer(200, R"({"id":"scen_1"})").answer(200, R"({"data":{"scenarios":[]}})");
  transport.answer(200, R"({"id":"scen_1"})");
  api.list_strategies({5, "a b"}, token);
  api.list_versions("strat_1", {}, token);
  api.get_version("strat_1", "ver_1", token);
  api.create_version("strat_1", {"abc1234", "ver_0", ""}, token);
  api.confirm_version("strat_1", "ver_1", token);
  api.create_scenario("strat_1", config, token);
  api.list_scenarios("strat_1", {}, token);
  api.get_scenario("strat_1", "scen/1", token);
  std::vector<std::string> lines;
  for (const auto& request : transport.requests) lines.push_back(request.method + " " + request.url.substr(16));
  EXPECT_THAT(lines,
              ElementsAre("GET /v1/strategies?limit=5&cursor=a%20b", "GET /v1/strategies/strat_1/versions",
                          "GET /v1/strategies/strat_1/versions/ver_1", "POST /v1/strategies/strat_1/versions",
                          "POST /v1/strategies/strat_1/versions/ver_1/confirm", "POST /v1/strategies/strat_1/scenarios",
                          "GET /v1/strategies/strat_1/scenarios", "GET /v1/strategies/strat_1/scenarios/scen%2F1"));
  EXPECT_EQ(transport.requests[3].body, R"({"gitSha":"abc1234","parentVersionId":"ver_0"})");
  EXPECT_EQ(transport.requests[5].body, config.json());
}

TEST_F(ClientTest, AcceptsTheUsualFormsOfTheBaseUrl) {
  for (const char* url : {"https://api.test", "https://api.test/", "https://api.test/v1", " https://api.test/v1/ "}) {
    transport.answer(200, R"([])");
    client(url).list_strategies({}, stop.get_token());
    EXPECT_EQ(transport.requests.back().url, "https://api.test/v1/strategies") << url;
  }
}

TEST_F(ClientTest, RefusesWhatIsNoUrl) {
  for (const char* url : {"", "api.test", "ftp://api.test", "https://", "https://a b", "https://x?y", "https://u@x"}) {
    EXPECT_EQ(error_from([&] { client(url); }).kind(), ErrorKind::usage) << url;
  }
}

TEST_F(ClientTest, AUserOrPasswordInTheUrlIsNotQuoted) {
  for (const char* url : {"https://user:s3cret@api.test", "https://user:s3/cret@api.test", "user:s3cret@api.test",
                          "https://s3cret@api.test/v1?a=s3cret"}) {
    const Error error = error_from([&] { client(url); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << url;
    EXPECT_THAT(error.message(), HasSubstr("...@api.test"));
    EXPECT_THAT(error.message(), ::testing::Not(HasSubstr("s3")));
    EXPECT_THAT(hints_of(error), HasSubstr("takes no user or password"));
  }
}

TEST_F(ClientTest, RefusesAnIdThatIsNoPathSegment) {
  for (const char* id : {"", ".", ".."}) {
    EXPECT_EQ(error_from([&] { client().get_strategy(id, stop.get_token()); }).kind(), ErrorKind::usage) << id;
  }
  EXPECT_THAT(transport.requests, IsEmpty());
}

TEST_F(ClientTest, MissingKey) {
  const Error error = error_from([&] { client("https://api.test", ""); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_EQ(error.message(), "API key not found");
  EXPECT_THAT(hints_of(error), HasSubstr("TEKTII_API_KEY"));
}

TEST_F(ClientTest, KeysWithStrayCharactersAreNotSent) {
  for (const std::string& key : {"\"" + k_key + "\"", " " + k_key, k_key + "\n", "'" + k_key + "'"}) {
    const Error error = error_from([&] { client("https://api.test", key); });
    EXPECT_EQ(error.message(), "Invalid API key");
    EXPECT_EQ(error.kind(), ErrorKind::denied);
    EXPECT_THAT(hints_of(error), HasSubstr("64 hex characters"));
    EXPECT_THAT(hints_of(error), ::testing::Not(HasSubstr(k_key)));
  }
}

TEST_F(ClientTest, OtherFormsOfKeyAreForTheServer) {
  transport.answer(200, "[]").answer(401, "{}");
  Client api = client("https://api.test", "short-key");
  EXPECT_NO_THROW(api.list_strategies({}, stop.get_token()));
  const Error error = error_from([&] { api.list_strategies({}, stop.get_token()); });
  EXPECT_EQ(error.message(), "Invalid API key");
  EXPECT_THAT(hints_of(error), HasSubstr("9 characters long"));
}

struct ErrorRow {
  const char* name;
  int status;
  const char* body;
  ErrorKind kind;
  const char* text;
};

class ErrorTable : public Fixture, public ::testing::WithParamInterface<ErrorRow> {};

TEST_P(ErrorTable, OfGetVersion) {
  const ErrorRow& row = GetParam();
  for (int i = 0; i < 4; ++i) transport.answer(row.status, row.body, {{"Location", "https://else.test/"}});
  const Error error = error_from([&] { client().get_version("strat_x", "ver_y", stop.get_token()); });
  EXPECT_EQ(error.kind(), row.kind);
  EXPECT_EQ(error.message(), row.text);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ErrorTable,
    ::testing::Values(
        ErrorRow{"unauthorised", 401, R"({"message":"nope"})", ErrorKind::denied, "Invalid API key"},
        ErrorRow{"forbidden", 403, R"({"error":{"message":"read only"}})", ErrorKind::denied,
                 "not allowed for version ver_y of strategy strat_x: read only"},
        ErrorRow{"missing", 404, "", ErrorKind::failure, "version ver_y of strategy strat_x not found"},
        ErrorRow{"missing_named", 404, R"({"error":"strategy strat_x is gone"})", ErrorKind::failure,
                 "version ver_y of strategy strat_x not found: strategy strat_x is gone"},
        ErrorRow{"missing_said_again", 404, R"({"error":{"message":"Version ver_y not found."}})", ErrorKind::failure,
                 "version ver_y of strategy strat_x not found"},
        ErrorRow{"missing_outer", 404, R"({"message":"strategy strat_x not found"})", ErrorKind::failure,
                 "strategy strat_x not found"},
        ErrorRow{"conflict", 409, R"({"message":"name is taken"})", ErrorKind::failure, "conflict: name is taken"},
        ErrorRow{"fields_list", 422,
                 R"({"message":"invalid","errors":[{"field":"gitSha","message":"is short"},)"
                 R"({"path":"name","msg":"is empty"},"plain"]})",
                 ErrorKind::usage,
                 "the platform rejected the request: invalid\n  gitSha: is short\n  name: is empty\n  plain"},
        ErrorRow{"fields_object", 422, R"({"error":{"message":"bad","details":{"name":["too long","not ASCII"]}}})",
                 ErrorKind::usage, "the platform rejected the request: bad\n  name: too long, not ASCII"},
        ErrorRow{"message_list", 400, R"({"message":["a","b"]})", ErrorKind::usage,
                 "the platform rejected the request: a, b"},
        ErrorRow{"rate", 429, "", ErrorKind::network, "too many requests: Too Many Requests"},
        ErrorRow{"server", 503, "<html>", ErrorKind::network, "the platform failed: Service Unavailable (HTTP 503)"},
        ErrorRow{"not_implemented", 501, "", ErrorKind::network, "the platform failed: Not Implemented (HTTP 501)"},
        ErrorRow{"redirect", 302, "", ErrorKind::network,
                 "https://api.test/v1/strategies/strat_x/versions/ver_y answers with a redirect to https://else.test/"},
        ErrorRow{"teapot", 418, R"({"message":""})", ErrorKind::failure, "HTTP status 418 (HTTP 418)"},
        ErrorRow{"not_json", 200, "<html>", ErrorKind::network, "the platform's answer can't be read: it is not JSON"},
        ErrorRow{"no_id", 200, "{}", ErrorKind::network, "the platform's answer can't be read: it has no id"},
        ErrorRow{"a_list", 200, "[]", ErrorKind::network, "the platform's answer can't be read: it is not an object"}),
    [](const auto& row) { return row.param.name; });

TEST_F(ClientTest, A404OfAListIsAboutTheUrl) {
  transport.answer(404, "");
  const Error error = error_from([&] { client().list_strategies({}, stop.get_token()); });
  EXPECT_EQ(error.message(), "not found: https://api.test/v1/strategies");
  EXPECT_THAT(hints_of(error), HasSubstr("--api-url"));
}

TEST_F(ClientTest, ARefusedKeyIsNeverQuoted) {
  transport.answer(401, R"({"message":"no such key"})");
  const Error error = error_from([&] { client().list_strategies({}, stop.get_token()); });
  EXPECT_THAT(hints_of(error), HasSubstr("the server says: no such key"));
  EXPECT_THAT(std::string(error.what()) + hints_of(error), ::testing::Not(HasSubstr(k_key)));
}

TEST_F(ClientTest, RetriesIdempotentCallsWithBackoff) {
  transport.answer(500, "").broken(true).answer(502, "").answer(200, "[]");
  EXPECT_NO_THROW(client().list_strategies({}, stop.get_token()));
  EXPECT_EQ(transport.requests.size(), 4U);
  EXPECT_THAT(clock.sleeps, ElementsAre(500, 1000, 2000));
}

TEST_F(ClientTest, GivesUpAfterFourAttempts) {
  for (int i = 0; i < 9; ++i) transport.answer(500, R"({"message":"down"})");
  const Error error = error_from([&] { client().list_strategies({}, stop.get_token()); });
  EXPECT_EQ(error.message(), "the platform failed: down (HTTP 500)");
  EXPECT_EQ(transport.requests.size(), 4U);
}

TEST_F(ClientTest, DoesNotRepeatWhatWillFailAgain) {
  for (const int status : {400, 401, 403, 404, 409, 422, 501, 505}) {
    transport.requests.clear();
    transport.answer(status, "");
    error_from([&] { client().list_strategies({}, stop.get_token()); });
    EXPECT_EQ(transport.requests.size(), 1U) << status;
  }
  EXPECT_THAT(clock.sleeps, IsEmpty());
}

TEST_F(ClientTest, HonoursRetryAfterAlsoWhenCreating) {
  transport.answer(429, "", {{"Retry-After", "7"}}).answer(201, R"({"id":"strat_1"})");
  EXPECT_EQ(client().create_strategy("x", stop.get_token()).value.id, "strat_1");
  EXPECT_THAT(clock.sleeps, ElementsAre(7000));
  EXPECT_EQ(transport.requests[0].body, transport.requests[1].body);
}

TEST_F(ClientTest, HonoursARetryAfterDate) {
  transport.answer(503, "", {{"Retry-After", "Mon, 15 Jan 2024 10:30:12 GMT"}}).answer(200, "[]");
  client().list_strategies({}, stop.get_token());
  EXPECT_THAT(clock.sleeps, ElementsAre(12000));
}

TEST_F(ClientTest, ALongRetryAfterIsLeftToTheUser) {
  transport.answer(429, "", {{"Retry-After", "3600"}});
  const Error error = error_from([&] { client().list_strategies({}, stop.get_token()); });
  EXPECT_THAT(clock.sleeps, IsEmpty());
  EXPECT_THAT(hints_of(error), HasSubstr("3600"));
}

TEST_F(ClientTest, ACreatingPostIsNotRepeatedAfterAnAnswer) {
  transport.answer(500, "").answer(201, R"({"id":"strat_1"})");
  const Error error = error_from([&] { client().create_strategy("x", stop.get_token()); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(hints_of(error), HasSubstr("may have been carried out"));
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(ClientTest, ACreatingPostIsNotRepeatedAfterHalfAnAnswer) {
  transport.broken(true).answer(201, R"({"id":"strat_1"})");
  const Error error = error_from([&] { client().create_strategy("x", stop.get_token()); });
  EXPECT_THAT(hints_of(error), HasSubstr("may have been carried out"));
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(ClientTest, ACreatingPostIsNotRepeatedOnceTheConnectionWasMade) {
  transport.broken(false).answer(201, R"({"id":"strat_1"})");
  const Error error = error_from([&] { client().create_strategy("x", stop.get_token()); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(hints_of(error), HasSubstr("may have been carried out: list before you try again"));
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(ClientTest, ACreatingPostIsRepeatedWhenTheConnectionWasNeverMade) {
  transport.unreachable().answer(201, R"({"id":"strat_1"})");
  EXPECT_EQ(client().create_strategy("x", stop.get_token()).value.id, "strat_1");
  EXPECT_EQ(transport.requests.size(), 2U);
}

TEST_F(ClientTest, ACreatingPostThatNeverArrivedLeavesNoDoubt) {
  const Error error = error_from([&] { client().create_strategy("x", stop.get_token()); });
  EXPECT_EQ(transport.requests.size(), 4U);
  EXPECT_THAT(hints_of(error), IsEmpty());
}

TEST_F(ClientTest, AnUnreachableServerNamesTheUrl) {
  const Error error = error_from([&] { client().list_strategies({}, stop.get_token()); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_STREQ(error.what(), "GET https://api.test/v1/strategies: connection refused");
  EXPECT_EQ(transport.requests.size(), 4U);
}

TEST_F(ClientTest, AStopEndsTheWaiting) {
  transport.answer(500, "").answer(200, "[]");
  clock.on_sleep = [&] { stop.request_stop(); };
  EXPECT_EQ(error_from([&] { client().list_strategies({}, stop.get_token()); }).kind(), ErrorKind::interrupted);
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(ClientTest, ConfirmingIsOptionalForThePlatform) {
  transport.answer(204, "").answer(404, "").answer(405, "").answer(403, "");
  Client api = client();
  EXPECT_TRUE(api.confirm_version("strat_1", "ver_1", stop.get_token()));
  EXPECT_FALSE(api.confirm_version("strat_1", "ver_1", stop.get_token()));
  EXPECT_FALSE(api.confirm_version("strat_1", "ver_1", stop.get_token()));
  EXPECT_EQ(error_from([&] { api.confirm_version("strat_1", "ver_1", stop.get_token()); }).kind(), ErrorKind::denied);
}

TEST_F(ClientTest, AVersionFromATemplateHasNoRepository) {
  transport.answer(201, R"({"versionId":"ver_1"})").answer(201, R"({"versionId":"ver_1"})");
  Client api = client();
  EXPECT_EQ(api.create_version("strat_1", {"", "", "ma-crossover"}, stop.get_token()).value.version_id, "ver_1");
  EXPECT_EQ(transport.requests[0].body, R"({"template":"ma-crossover"})");
  EXPECT_EQ(error_from([&] {
              api.create_version("strat_1", {"abc1234", "", ""}, stop.get_token());
            }).kind(),
            ErrorKind::network);
}

}  // namespace
}  // namespace tektii::api
