#include "registry/client_fixture.hpp"
#include <tektii/oci/manifest.hpp>

namespace tektii::registry {
namespace {

using tektii::testing::ServerRequest;
using tektii::testing::ServerResponse;
using ::testing::ElementsAre;

class ArtifactTest : public ClientTest {
 protected:
  void SetUp() override { start(); }

  std::optional<oci::Artifact> read(const std::string& name) { return client->artifact(reference(name))->read({}, {}); }
  bool has(const std::string& content, std::uint64_t size) {
    return client->artifact(reference("app:1"))->has_blob({"x", oci::Digest::of_bytes(content), size}, {});
  }
};

TEST_F(ArtifactTest, IsReadWhateverItsConfigIs) {
  const auto config = server->add_blob("app", "[1, 2]");
  const oci::Manifest manifest{
      std::string(oci::k_media_manifest), {"application/x", oci::Digest::parse(config), 6}, {}};
  server->add_manifest("app", "cache", manifest.media_type, manifest.serialise());
  const auto found = read("app:cache");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->manifest_bytes, manifest.serialise());
  EXPECT_EQ(found->config_bytes, "[1, 2]");
  EXPECT_THAT(lines(), ElementsAre("GET /v2/app/manifests/cache", "GET /v2/app/blobs/" + config));
}

TEST_F(ArtifactTest, NothingUnderTheNameIsAValue) {
  EXPECT_FALSE(read("app:cache"));
  EXPECT_THAT(lines(), ElementsAre("GET /v2/app/manifests/cache"));
}

TEST_F(ArtifactTest, OfAnIndexItIsTheManifestForThePlatform) {
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "");
  auto entry = image.sealed.manifest;
  entry.platform = oci::Platform{};
  const oci::Index index{std::string(oci::k_media_index), {entry}};
  server->add_manifest("app", "many", index.media_type, index.serialise());
  const auto found = read("app:many");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->manifest.digest, image.sealed.manifest.digest);
  EXPECT_EQ(found->config_bytes, image.sealed.config_bytes);
}

TEST_F(ArtifactTest, IndexWithoutThePlatformIsGivenItself) {
  const oci::Index index{std::string(oci::k_media_index), {}};
  server->add_manifest("app", "other", index.media_type, index.serialise());
  const auto found = read("app:other");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->manifest.media_type, oci::k_media_index);
  EXPECT_EQ(found->config_bytes, "");
}

TEST_F(ArtifactTest, OnlyAClearNoMeansThatABlobIsGone) {
  server->add_blob("app", "layer");
  EXPECT_TRUE(has("layer", 5));
  EXPECT_FALSE(has("layer", 6));
  EXPECT_FALSE(has("other", 5));
  EXPECT_EQ(count("HEAD"), 3);
  for (const int status : {401, 403, 405}) {
    server->set_intercept([status](const ServerRequest&) { return ServerResponse{.status = status}; });
    EXPECT_TRUE(has("other", 5)) << status;
  }
}

}  // namespace
}  // namespace tektii::registry
