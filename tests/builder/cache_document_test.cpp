#include "builder/cache_document.hpp"

#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

std::string key(char digit) {
  return std::string(64, digit);
}

oci::Layer layer(const std::string& content) {
  return {{std::string(oci::k_media_layer_gzip), oci::Digest::of_bytes(content), content.size()},
          oci::Digest::of_bytes("tar of " + content)};
}

CacheRecords sample() {
  CacheRecords records;
  records.steps = {
      {key('b'), layer("one")}, {key('a'), std::nullopt}, {key('c'), layer("two")}, {key('d'), layer("one")}};
  records.contents = {{key('e'), key('f')}};
  return records;
}

TEST(CacheDocument, IsReadAsItWasWritten) {
  const auto text = write_cache_document(sample());
  const auto read = read_cache_document(text);
  EXPECT_EQ(write_cache_document(read), text);
  EXPECT_EQ(read.steps.at(key('b'))->diff_id, layer("one").diff_id);
  EXPECT_FALSE(read.steps.at(key('a')));
  EXPECT_EQ(read.contents.at(key('e')), key('f'));
}

TEST(CacheDocument, ItsBytesAreThoseOfTheDocumentation) {
  CacheRecords records;
  records.steps = {{key('b'), layer("one")}, {key('a'), std::nullopt}};
  EXPECT_EQ(write_cache_document(records),
            R"({"layers":[{"diffId":")" + layer("one").diff_id.str() + R"(","digest":")" +
                layer("one").blob.digest.str() +
                R"(","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":3}],"steps":{")" + key('a') +
                R"(":null,")" + key('b') + R"(":0}})");
}

TEST(CacheDocument, WhereALayerComesFromIsNoPartOfIt) {
  auto records = sample();
  records.steps.at(key('b'))->origin = oci::BlobOrigin{"127.0.0.1:5000", "cache"};
  EXPECT_EQ(write_cache_document(records), write_cache_document(sample()));
  EXPECT_EQ(seal_cache(records).manifest.digest, seal_cache(sample()).manifest.digest);
}

TEST(CacheDocument, ManifestListsEachLayerOnce) {
  const auto cache = seal_cache(sample());
  const auto manifest = oci::Manifest::parse(cache.manifest_bytes);
  EXPECT_EQ(manifest.media_type, oci::k_media_manifest);
  EXPECT_EQ(manifest.config.media_type, k_media_cache);
  EXPECT_EQ(manifest.config.digest, oci::Digest::of_bytes(cache.config_bytes));
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(cache.layers.size(), 2U);
}

TEST(CacheDocument, CacheOfNothingHasTheEmptyLayer) {
  const auto manifest = oci::Manifest::parse(seal_cache({}).manifest_bytes);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].media_type, "application/vnd.oci.empty.v1+json");
  EXPECT_TRUE(read_cache_document(seal_cache({}).config_bytes).steps.empty());
}

TEST(CacheDocument, WhatLaterVersionsAddIsLeftAlone) {
  EXPECT_TRUE(read_cache_document(R"({"layers":[],"steps":{},"more":[1]})").steps.empty());
  EXPECT_TRUE(read_cache_document("{}").steps.empty());
}

struct Damage {
  const char* name;
  std::string text;
  const char* message;
};

class DamagedDocument : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedDocument, IsRefused) {
  try {
    read_cache_document(GetParam().text);
    ADD_FAILURE() << "accepted: " << GetParam().text;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it is damaged: "));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

const std::string k_digest = "sha256:" + std::string(64, '1');

std::string with_layer(const std::string& members) {
  return R"({"layers":[{)" + members + "}]}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, DamagedDocument,
    ::testing::Values(Damage{"empty", "", "no JSON object"},
                      Damage{"cut", write_cache_document(sample()).substr(0, 80), "no JSON"},
                      Damage{"list", "[]", "no JSON object"},
                      Damage{"layers", R"({"layers":{}})", "layers is of another type"},
                      Damage{"steps", R"({"steps":[]})", "steps is of another type"},
                      Damage{"layer", R"({"layers":[1]})", "a layer has no mediaType"},
                      Damage{"type",
                             with_layer(R"("mediaType":"text/plain","digest":")" + k_digest + R"(","diffId":")" +
                                        k_digest + R"(","size":1)"),
                             "unknown type"},
                      Damage{"digest", with_layer(R"("mediaType":"x","digest":"sha256:../../x")"), "is no digest"},
                      Damage{"size",
                             with_layer(R"("mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" +
                                        k_digest + R"(","diffId":")" + k_digest + R"(","size":-1)"),
                             "has no size"},
                      Damage{"key", R"({"steps":{"../../x":null}})", "the key of a step"},
                      Damage{"index", R"({"steps":{")" + key('a') + R"(":0}})", "a layer that is not there"},
                      Damage{"negative", R"({"steps":{")" + key('a') + R"(":-1}})", "a layer that is not there"},
                      Damage{"content", R"({"contents":{")" + key('a') + R"(":"x"}})", "a key of contents"},
                      Damage{"contents", R"({"contents":{")" + key('a') + R"(":1}})", "a key of contents"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace tektii::builder
