#include "fixture.hpp"
#include <tektii/oci/media_type.hpp>

#include <thread>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

class ManifestTest : public SandboxTest {
 protected:
  static std::string error_code(const Answer& answer) { return answer.json()["errors"][0]["code"]; }

  static Answer put(TestClient& client, const std::string& reference, const std::string& bytes,
                    const std::string& type = std::string(oci::k_media_manifest)) {
    return client.send("PUT", "/v2/a/manifests/" + reference, bytes, {}, type);
  }
};

TEST_F(ManifestTest, IsServedByTagAndDigestAsItWasPut) {
  const TestImage image = make_image("layer");
  const Answer stored = push("a", "1.0", image);
  EXPECT_EQ(stored.status, 201) << stored.body;
  EXPECT_EQ(stored.header("Docker-Content-Digest"), image.manifest_digest);
  EXPECT_EQ(stored.header("Location"), "/v2/a/manifests/" + image.manifest_digest);
  TestClient client = registry("a");
  for (const std::string& reference : {std::string("1.0"), image.manifest_digest}) {
    const Answer answer = client.get("/v2/a/manifests/" + reference);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, image.manifest);
    EXPECT_EQ(answer.header("Content-Type"), oci::k_media_manifest);
    EXPECT_EQ(answer.header("Docker-Content-Digest"), image.manifest_digest);
    const Answer head = client.head("/v2/a/manifests/" + reference);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("Content-Length"), std::to_string(image.manifest.size()));
    EXPECT_TRUE(head.body.empty());
  }
}

TEST_F(ManifestTest, UnknownOnes) {
  TestClient client = registry("a");
  EXPECT_EQ(error_code(client.get("/v2/a/manifests/1")), "NAME_UNKNOWN");
  ASSERT_EQ(push("a", "1", make_image("x")).status, 201);
  EXPECT_EQ(error_code(client.get("/v2/a/manifests/2")), "MANIFEST_UNKNOWN");
  EXPECT_EQ(error_code(client.get("/v2/a/manifests/" + digest_of("none"))), "MANIFEST_UNKNOWN");
  EXPECT_EQ(error_code(client.get("/v2/a/manifests/.bad")), "TAG_INVALID");
  EXPECT_EQ(error_code(client.get("/v2/a/manifests/sha256:1")), "DIGEST_INVALID");
  EXPECT_EQ(error_code(client.send("DELETE", "/v2/a/manifests/1")), "UNSUPPORTED");
}

TEST_F(ManifestTest, NeedsItsBlobsInTheRepository) {
  const TestImage image = make_image("layer");
  ASSERT_EQ(push("other", "1", image).status, 201);
  TestClient client = registry("a");
  const Answer answer = put(client, "1", image.manifest);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(error_code(answer), "MANIFEST_BLOB_UNKNOWN");
  EXPECT_EQ(answer.json()["errors"].size(), 2U) << "each missing blob is named";
}

TEST_F(ManifestTest, ContentIsChecked) {
  const TestImage image = make_image("layer");
  ASSERT_EQ(push("a", "1", image).status, 201);
  TestClient client = registry("a");
  EXPECT_EQ(error_code(put(client, "2", "{")), "MANIFEST_INVALID");
  EXPECT_EQ(error_code(put(client, "2", "{}")), "MANIFEST_INVALID");
  EXPECT_EQ(error_code(put(client, "2", image.manifest, "application/json")), "MANIFEST_INVALID");
  EXPECT_EQ(error_code(put(client, "2", image.manifest, std::string(oci::k_media_docker_manifest))),
            "MANIFEST_INVALID");
  EXPECT_EQ(error_code(put(client, digest_of("other"), image.manifest)), "DIGEST_INVALID");
  json wrong_size = json::parse(image.manifest);
  wrong_size["layers"][0]["size"] = 1;
  EXPECT_EQ(error_code(put(client, "2", wrong_size.dump())), "SIZE_INVALID");
  EXPECT_EQ(put(client, "2", std::string((4 << 20) + 1, ' ')).status, 413);
  EXPECT_EQ(put(client, image.manifest_digest, image.manifest).status, 201);
}

TEST_F(ManifestTest, OtherTagsMove) {
  ASSERT_EQ(push("a", "latest", make_image("one")).status, 201);
  const TestImage two = make_image("two");
  ASSERT_EQ(push("a", "latest", two).status, 201);
  EXPECT_EQ(registry("a").get("/v2/a/manifests/latest").body, two.manifest);
}

TEST_F(ManifestTest, TagOfAReadyVersionDoesNotMove) {
  const std::string strategy = create_strategy();
  const std::string version = create_version(strategy).at("versionId");
  const TestImage image = make_image("one");
  ASSERT_EQ(push(strategy + "/image", version, image).status, 201);
  EXPECT_EQ(push(strategy + "/image", version, image).status, 201) << "the same again";
  const Answer moved = push(strategy + "/image", version, make_image("two"));
  EXPECT_EQ(moved.status, 400);
  EXPECT_EQ(error_code(moved), "TAG_INVALID");
  EXPECT_EQ(push(strategy + "/image", "latest", make_image("two")).status, 201);
}

TEST_F(ManifestTest, TagsArePaged) {
  for (const char* tag : {"b", "a", "c"}) ASSERT_EQ(push("a", tag, make_image("x")).status, 201);
  TestClient client = registry("a");
  EXPECT_EQ(client.get("/v2/a/tags/list").json(), (json{{"name", "a"}, {"tags", {"a", "b", "c"}}}));
  const Answer page = client.get("/v2/a/tags/list?n=2");
  EXPECT_EQ(page.json().at("tags"), (json{"a", "b"}));
  EXPECT_EQ(page.header("Link"), "</v2/a/tags/list?n=2&last=b>; rel=\"next\"");
  const Answer last = client.get("/v2/a/tags/list?n=2&last=b");
  EXPECT_EQ(last.json().at("tags"), json::array({"c"}));
  EXPECT_EQ(last.header("Link"), "");
  EXPECT_EQ(client.get("/v2/a/tags/list?n=0").json().at("tags"), json::array());
}

TEST_F(ManifestTest, IndexNeedsItsManifestsAndGivesTheVersionItsPlatform) {
  const std::string strategy = create_strategy();
  const std::string version = create_version(strategy).at("versionId");
  const std::string repository = strategy + "/image";
  const TestImage image = make_image("one");
  const json entry = {{"mediaType", oci::k_media_manifest},
                      {"digest", image.manifest_digest},
                      {"size", image.manifest.size()},
                      {"platform", {{"os", "linux"}, {"architecture", "amd64"}}}};
  const std::string index =
      json{{"schemaVersion", 2}, {"mediaType", oci::k_media_index}, {"manifests", json::array({entry})}}.dump();
  TestClient client = registry(repository);
  const auto put_index = [&] {
    return client.send("PUT", "/v2/" + repository + "/manifests/" + version, index, {},
                       std::string(oci::k_media_index));
  };
  EXPECT_EQ(error_code(put_index()), "MANIFEST_BLOB_UNKNOWN");
  ASSERT_EQ(push(repository, image.manifest_digest, image).status, 201);
  ASSERT_EQ(put_index().status, 201);
  const json record = api().get("/v1/strategies/" + strategy + "/versions/" + version).json();
  EXPECT_EQ(record.at("status"), "READY");
  EXPECT_EQ(record.at("imageDigest"), digest_of(index));
}

TEST_F(ManifestTest, ConfigWithoutPlatformFailsTheVersion) {
  const std::string strategy = create_strategy();
  const std::string version = create_version(strategy).at("versionId");
  ASSERT_EQ(push(strategy + "/image", version, make_image("x", "", "")).status, 201);
  EXPECT_EQ(api().get("/v1/strategies/" + strategy + "/versions/" + version).json().at("error"),
            "Image platform mismatch (expected linux/amd64, got none)");
}

TEST_F(ManifestTest, ConcurrentPushesOfOneVersionKeepOneImage) {
  const std::string strategy = create_strategy();
  const std::string version = create_version(strategy).at("versionId");
  constexpr std::size_t k_pushers = 6;
  std::vector<int> statuses(k_pushers);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < k_pushers; ++i) {
    threads.emplace_back(
        [&, i] { statuses[i] = push(strategy + "/image", version, make_image("layer " + std::to_string(i))).status; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 201), 1);
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 400), static_cast<int>(k_pushers) - 1);
}

}  // namespace
}  // namespace tektii::sandbox
