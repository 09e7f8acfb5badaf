#include <tektii/oci/attestation.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::oci {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

SealedImage some_image() {
  return seal_image({}, {}, {});
}

TEST(Attestation, TheIndexNamesTheImageAndWhatSpeaksOfIt) {
  auto image = some_image();
  image.manifest.annotations["k"] = "v";
  const auto attested = attest_image(image, {}, {{"https://p/1", "{}"}, {"https://p/2", "{\"a\":1}"}},
                                     {.index_annotations = {{"i", "j"}}});
  const auto index = Index::parse(attested.index.bytes);
  ASSERT_EQ(index.manifests.size(), 2U);
  EXPECT_EQ(index.manifests[0].digest, image.manifest.digest);
  EXPECT_EQ(index.manifests[0].platform, Platform{});
  EXPECT_THAT(index.manifests[0].annotations, UnorderedElementsAre(Pair("k", "v")));
  EXPECT_THAT(index.annotations, UnorderedElementsAre(Pair("i", "j")));
  EXPECT_EQ(index.manifests[1].digest, Digest::of_bytes(attested.manifest.bytes));
  EXPECT_EQ(index.manifests[1].platform, (Platform{"unknown", "unknown", ""}));
  EXPECT_THAT(index.manifests[1].annotations,
              UnorderedElementsAre(Pair("vnd.docker.reference.type", "attestation-manifest"),
                                   Pair("vnd.docker.reference.digest", image.manifest.digest.str())));
  EXPECT_EQ(index.find({}), &index.manifests[0]);
}

TEST(Attestation, AsAnArtifactItHasASubjectAndTheEmptyConfig) {
  const auto image = some_image();
  const auto attested = attest_image(image, {}, {{"https://p/1", "{}x"}}, {});
  EXPECT_TRUE(attested.is_artifact);
  const auto& text = attested.manifest.bytes;
  EXPECT_THAT(text, HasSubstr(R"("artifactType":"application/vnd.docker.attestation.manifest.v1+json")"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":)"
          R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="})"));
  EXPECT_THAT(text, HasSubstr(R"("subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                              image.manifest.digest.str()));
  const auto manifest = Manifest::parse(text);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].media_type, k_media_in_toto);
  EXPECT_THAT(manifest.layers[0].annotations, UnorderedElementsAre(Pair("in-toto.io/predicate-type", "https://p/1")));
  ASSERT_EQ(attested.blobs.size(), 2U);
  EXPECT_EQ(attested.blobs[1].descriptor.digest, manifest.layers[0].digest);
}

TEST(Attestation, AsAnImageItHasAConfigThatNoPlatformRuns) {
  const auto attested = attest_image(some_image(), {}, {{"https://p/1", "{}"}}, {.as_artifact = false});
  EXPECT_FALSE(attested.is_artifact);
  EXPECT_THAT(attested.manifest.bytes, Not(HasSubstr("subject")));
  EXPECT_THAT(attested.manifest.bytes, Not(HasSubstr("artifactType")));
  const auto manifest = Manifest::parse(attested.manifest.bytes);
  EXPECT_EQ(manifest.config.media_type, k_media_config);
  EXPECT_EQ(manifest.config.digest, attested.blobs[0].descriptor.digest);
  const auto config = ImageConfig::parse(attested.blobs[0].bytes);
  EXPECT_EQ(config.platform.os, "unknown");
  EXPECT_EQ(config.diff_ids.size(), 1U);
}

}  // namespace
}  // namespace tektii::oci
