#include "fixture.hpp"

#include <set>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

class ApiTest : public SandboxTest {};

// {"error":{"code","message"}} with this status.
void expect_error(const Answer& answer, int status, const std::string& code) {
  EXPECT_EQ(answer.status, status) << answer.body;
  ASSERT_TRUE(answer.json().contains("error")) << answer.body;
  EXPECT_EQ(answer.json()["error"].value("code", ""), code);
  EXPECT_FALSE(answer.json()["error"].value("message", "").empty());
}

TEST_F(ApiTest, InstrumentsNeedNoKeyAndCanBeFiltered) {
  TestClient anonymous(sandbox_->url());
  const Answer all = anonymous.get("/v1/instruments");
  ASSERT_EQ(all.status, 200);
  const json first = all.json().at("data").at(0);
  EXPECT_EQ(first.at("symbol"), "C:BTCUSD");
  EXPECT_EQ(first.at("granularities").size(), 12U);
  EXPECT_EQ(first.at("status"), "available");
  const json crypto = anonymous.get("/v1/instruments?market=crypto&status=available").json().at("data");
  ASSERT_FALSE(crypto.empty());
  for (const json& entry : crypto) {
    EXPECT_EQ(entry.at("market"), "crypto");
    EXPECT_EQ(entry.at("status"), "available");
  }
  EXPECT_LT(crypto.size(), all.json().at("data").size());
  EXPECT_TRUE(anonymous.get("/v1/instruments?market=none").json().at("data").empty());
}

TEST_F(ApiTest, EverythingElseNeedsTheKeyInOneOfTwoHeaders) {
  expect_error(TestClient(sandbox_->url()).get("/v1/strategies"), 401, "unauthorized");
  expect_error(TestClient(sandbox_->url(), {{"X-API-Key", std::string(64, '0')}}).get("/v1/strategies"), 401,
               "unauthorized");
  EXPECT_EQ(
      TestClient(sandbox_->url(), {{"Authorization", "Bearer " + sandbox_->api_key()}}).get("/v1/strategies").status,
      200);
  EXPECT_EQ(api().get("/v1/strategies").status, 200);
}

TEST_F(ApiTest, StrategyIsCreatedAndRead) {
  const Answer created = api().post("/v1/strategies", {{"name", "momentum"}});
  ASSERT_EQ(created.status, 201) << created.body;
  const json strategy = created.json();
  EXPECT_EQ(strategy.at("name"), "momentum");
  EXPECT_TRUE(strategy.at("id").get<std::string>().starts_with("strat_"));
  EXPECT_TRUE(strategy.at("ownerId").get<std::string>().starts_with("user_"));
  EXPECT_EQ(strategy.at("createdAt").get<std::string>().size(), std::string("2024-01-15T10:30:00Z").size());
  EXPECT_EQ(api().get("/v1/strategies/" + strategy.at("id").get<std::string>()).json(), strategy);
  EXPECT_EQ(api().get("/v1/strategies").json().at("strategies"), json::array({strategy}));
}

TEST_F(ApiTest, StrategyNeedsAName) {
  for (const json& body : {json::object(), json{{"name", ""}}, json{{"name", "  "}}, json{{"name", 5}},
                           json{{"name", std::string(101, 'x')}}}) {
    const Answer answer = api().post("/v1/strategies", body);
    expect_error(answer, 422, "validation_failed");
    EXPECT_EQ(answer.json()["error"]["fields"][0]["path"], "name");
  }
  expect_error(api().send("POST", "/v1/strategies", "{", {}, "application/json"), 400, "bad_request");
  expect_error(api().send("POST", "/v1/strategies", "[1]", {}, "application/json"), 400, "bad_request");
  expect_error(api().send("POST", "/v1/strategies"), 400, "bad_request");
  expect_error(api().send("POST", "/v1/strategies", std::string((1 << 20) + 1, ' ')), 413, "too_large");
}

TEST_F(ApiTest, UnknownThingsAreNotFound) {
  const std::string strategy = "/v1/strategies/" + create_strategy();
  for (const std::string& path :
       {std::string("/v1/nothing"), std::string("/v1"), std::string("/"), std::string("/v1/strategies/strat_0"),
        std::string("/v1/strategies/strat_0/versions"), strategy + "/versions/ver_0", strategy + "/scenarios/scen_0",
        strategy + "/scenarios/scen_0/results/trades", strategy + "/nothing", strategy + "/versions/ver_0/confirm"}) {
    expect_error(api().get(path), 404, "not_found");
  }
  EXPECT_EQ(api().get("/v1/strategies/strat_0").json()["error"]["message"], "strategy strat_0 not found");
}

TEST_F(ApiTest, OtherMethodsAreRefused) {
  const std::string strategy = "/v1/strategies/" + create_strategy();
  const Answer answer = api().send("DELETE", strategy);
  expect_error(answer, 405, "method_not_allowed");
  EXPECT_EQ(answer.header("Allow"), "GET");
  expect_error(api().send("PUT", strategy + "/versions", "{}"), 405, "method_not_allowed");
  expect_error(api().send("PATCH", "/v1/instruments", "{}"), 405, "method_not_allowed");
}

TEST_F(ApiTest, ListsArePagedNewestFirst) {
  std::vector<std::string> created;
  for (int i = 0; i < 5; ++i) created.insert(created.begin(), create_strategy("s" + std::to_string(i)));
  std::vector<std::string> listed;
  std::string path = "/v1/strategies?limit=2";
  int pages = 0;
  while (true) {
    const json page = api().get(path).json();
    for (const json& entry : page.at("strategies")) listed.push_back(entry.at("id"));
    ++pages;
    if (page.at("nextCursor").is_null()) break;
    path = "/v1/strategies?limit=2&cursor=" + page.at("nextCursor").get<std::string>();
  }
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(listed, created);
}

TEST_F(ApiTest, BadPagesAreRefused) {
  for (const char* query : {"limit=0", "limit=101", "limit=x", "cursor=***", "cursor=c3RyYXRfMA"}) {
    expect_error(api().get(std::string("/v1/strategies?") + query), 400, "bad_request");
  }
}

TEST_F(ApiTest, VersionComesWithAPlaceForItsImage) {
  const std::string strategy = create_strategy();
  const json answer = create_version(strategy);
  const std::string version = answer.at("versionId");
  EXPECT_TRUE(version.starts_with("ver_"));
  EXPECT_EQ(answer.at("repositoryUrl"), authority() + "/" + strategy + "/image:" + version);
  EXPECT_FALSE(answer.at("accessToken").get<std::string>().empty());
  const json record = api().get("/v1/strategies/" + strategy + "/versions/" + version).json();
  EXPECT_EQ(record.at("status"), "PENDING");
  EXPECT_EQ(record.at("gitSha"), "abc1234");
  EXPECT_FALSE(record.contains("imageDigest"));
}

TEST_F(ApiTest, VersionIsValidated) {
  const std::string strategy = create_strategy();
  const std::string other = ready_version(create_strategy("other"));
  const std::vector<std::pair<json, std::string>> cases = {
      {json::object(), "gitSha"},
      {{{"gitSha", "xyz"}}, "gitSha"},
      {{{"gitSha", 5}}, "gitSha"},
      {{{"gitSha", "ts-x"}}, "gitSha"},
      {{{"gitSha", "abc1234"}, {"parentVersionId", "ver_0"}}, "parentVersionId"},
      {{{"gitSha", "abc1234"}, {"parentVersionId", other}}, "parentVersionId"},
      {{{"template", "unheard-of"}}, "template"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = api().post("/v1/strategies/" + strategy + "/versions", body);
    expect_error(answer, 422, "validation_failed");
    EXPECT_EQ(answer.json()["error"]["fields"][0]["path"], field) << body;
  }
  EXPECT_EQ(api().post("/v1/strategies/" + strategy + "/versions", {{"gitSha", "ts-1700000000"}}).status, 201);
}

TEST_F(ApiTest, VersionBecomesReadyWithItsImage) {
  const std::string strategy = create_strategy();
  const std::string version = create_version(strategy).at("versionId");
  const std::string path = "/v1/strategies/" + strategy + "/versions/" + version;
  expect_error(api().post(path + "/confirm", json::object()), 409, "no_image");

  const TestImage image = make_image("a layer");
  ASSERT_EQ(push(strategy + "/image", version, image).status, 201);
  const json ready = api().get(path).json();
  EXPECT_EQ(ready.at("status"), "READY");
  EXPECT_EQ(ready.at("imageDigest"), image.manifest_digest);
  EXPECT_EQ(ready.at("platform"), "linux/amd64");
  EXPECT_EQ(ready.at("image"), authority() + "/" + strategy + "/image:" + version + "@" + image.manifest_digest);
  EXPECT_FALSE(ready.contains("confirmedAt"));

  const Answer confirmed = api().send("POST", path + "/confirm");
  EXPECT_EQ(confirmed.status, 200) << confirmed.body;
  EXPECT_TRUE(confirmed.json().contains("confirmedAt"));
  EXPECT_EQ(api().send("POST", path + "/confirm").json(), confirmed.json()) << "a repetition changes nothing";
}

TEST_F(ApiTest, VersionFailsForAnotherPlatform) {
  const std::string strategy = create_strategy();
  const std::string version = create_version(strategy).at("versionId");
  const std::string path = "/v1/strategies/" + strategy + "/versions/" + version;
  ASSERT_EQ(push(strategy + "/image", version, make_image("a", "darwin", "arm64")).status, 201);
  const json failed = api().get(path).json();
  EXPECT_EQ(failed.at("status"), "FAILED");
  EXPECT_EQ(failed.at("error"), "Image platform mismatch (expected linux/amd64, got darwin/arm64)");
  expect_error(api().post(path + "/confirm", json::object()), 409, "version_failed");

  ASSERT_EQ(push(strategy + "/image", version, make_image("a")).status, 201) << "a failed one may be pushed again";
  EXPECT_EQ(api().get(path).json().at("status"), "READY");
}

TEST_F(ApiTest, TemplateVersionIsReadyAtOnce) {
  const std::string strategy = create_strategy();
  const Answer answer =
      api().post("/v1/strategies/" + strategy + "/versions", {{"template", "ma-crossover"}, {"gitSha", "abc1234"}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_FALSE(answer.json().contains("accessToken"));
  const std::string version = answer.json().at("versionId");
  const json record = api().get("/v1/strategies/" + strategy + "/versions/" + version).json();
  EXPECT_EQ(record.at("status"), "READY");
  EXPECT_EQ(record.at("template"), "ma-crossover");
  EXPECT_EQ(registry(strategy + "/image").get("/v2/" + strategy + "/image/manifests/" + version).status, 200);
}

TEST_F(ApiTest, VersionsOfAStrategyAreListed) {
  const std::string strategy = create_strategy();
  const std::string first = create_version(strategy).at("versionId");
  const std::string second = create_version(strategy).at("versionId");
  create_version(create_strategy("other"));
  const json list = api().get("/v1/strategies/" + strategy + "/versions").json().at("versions");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].at("id"), second);
  EXPECT_EQ(list[1].at("id"), first);
}

}  // namespace
}  // namespace tektii::sandbox
