#include "registry/client_fixture.hpp"
#include "registry/referrer_push.hpp"
#include <tektii/oci/manifest.hpp>

#include <fmt/format.h>

namespace tektii::registry {
namespace {

using tektii::testing::ServerRequest;
using tektii::testing::ServerResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Referrer some_referrer(const std::string& bytes = "{\"schemaVersion\":2}") {
  return {{std::string(oci::k_media_manifest), oci::Digest::of_bytes(bytes), bytes.size()},
          bytes,
          oci::Digest::of_bytes("subject"),
          "application/x",
          {{"a", "b"}}};
}

class ReferrerTest : public ClientTest {
 protected:
  void SetUp() override { start(); }

  void push(const Referrer& referrer) { client->push_referrer(reference("app:1"), referrer, {}); }
  std::string tag() const { return "sha256-" + std::string(oci::Digest::of_bytes("subject").hex()); }
  std::string listed() const { return server->manifest("app", tag()); }
};

TEST_F(ReferrerTest, IsListedUnderATagWhereTheRegistryHasNoReferrers) {
  const auto referrer = some_referrer();
  push(referrer);
  EXPECT_EQ(
      listed(),
      fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{}",)"
                  R"("size":{},"annotations":{{"a":"b"}},"artifactType":"application/x"}}]}})",
                  oci::k_media_index, oci::k_media_manifest, referrer.manifest.digest.str(), referrer.manifest.size));
  EXPECT_THAT(lines(), ElementsAre("PUT /v2/app/manifests/" + referrer.manifest.digest.str(),
                                   "GET /v2/app/manifests/" + tag(), "PUT /v2/app/manifests/" + tag()));
}

TEST_F(ReferrerTest, IsListedOnceAndBesideTheOthers) {
  push(some_referrer());
  push(some_referrer("{\"schemaVersion\":2,\"other\":1}"));
  const auto both = listed();
  EXPECT_EQ(oci::Index::parse(both).manifests.size(), 2U);
  const int puts = count("PUT");
  push(some_referrer());
  EXPECT_EQ(listed(), both);
  EXPECT_EQ(count("PUT"), puts + 1);
}

TEST_F(ReferrerTest, IsNotListedWhereTheRegistryDoesIt) {
  const auto referrer = some_referrer();
  server->set_intercept([&](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.method != "PUT") return std::nullopt;
    ServerResponse response;
    response.status = 201;
    response.headers = {{"OCI-Subject", referrer.subject.str()}};
    return response;
  });
  push(referrer);
  EXPECT_THAT(lines(), ElementsAre("PUT /v2/app/manifests/" + referrer.manifest.digest.str()));
}

TEST_F(ReferrerTest, AnotherSubjectInTheAnswerCountsAsNone) {
  server->set_intercept([](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.method != "PUT" || request.line().find("sha256:") == std::string::npos) return std::nullopt;
    ServerResponse response;
    response.status = 201;
    response.headers = {{"OCI-Subject", oci::Digest::of_bytes("other").str()}};
    return response;
  });
  push(some_referrer());
  EXPECT_THAT(listed(), HasSubstr(some_referrer().manifest.digest.str()));
}

TEST_F(ReferrerTest, TheListIsReadAgainWhenSomebodyElseChangedIt) {
  int refused = 0;
  std::vector<std::string> conditions;
  server->set_intercept([&](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.line() == "GET /v2/app/manifests/" + tag()) {
      ServerResponse response;
      response.status = 200;
      response.headers = {{"ETag", fmt::format("\"{}\"", refused)}, {"Content-Type", std::string(oci::k_media_index)}};
      response.body = oci::Index{std::string(oci::k_media_index), {}}.serialise();
      return response;
    }
    if (request.line() != "PUT /v2/app/manifests/" + tag()) return std::nullopt;
    conditions.push_back(request.header("If-Match").value_or(""));
    if (++refused > 2) return std::nullopt;
    ServerResponse response;
    response.status = 412;
    return response;
  });
  push(some_referrer());
  EXPECT_THAT(conditions, ElementsAre("\"0\"", "\"1\"", "\"2\""));
}

TEST_F(ReferrerTest, WhatIsNoIndexUnderTheTagIsNotReplaced) {
  server->add_manifest("app", tag(), std::string(oci::k_media_index), "{\"schemaVersion\":2}");
  EXPECT_THAT(error_of([&] { push(some_referrer()); }).what(), HasSubstr("push of the referrer"));
  EXPECT_EQ(listed(), "{\"schemaVersion\":2}");
}

}  // namespace
}  // namespace tektii::registry
