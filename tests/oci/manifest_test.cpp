#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

namespace tektii::oci {
namespace {

std::string digest_of(char c) {
  return "sha256:" + std::string(64, c);
}

std::string descriptor(const std::string& media_type, char digest, const std::string& size = "1",
                       const std::string& more = "") {
  return R"({"mediaType":")" + media_type + R"(","digest":")" + digest_of(digest) + R"(","size":)" + size + more + "}";
}

std::string manifest_text(const std::string& layers, const std::string& more = "") {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
         descriptor(std::string(k_media_config), 'c', "7") + R"(,"layers":[)" + layers + "]" + more + "}";
}

std::string error_of(const std::string& text) {
  try {
    Manifest::parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failure);
    return error.what();
  }
  return "no error";
}

TEST(Manifest, SerialisesByteExactly) {
  Manifest manifest{std::string(k_media_manifest),
                    {std::string(k_media_config), Digest::parse(digest_of('c')), 7},
                    {{std::string(k_media_layer_gzip), Digest::parse(digest_of('1')), 42, {{"z", "1"}, {"a", "<é>"}}}},
                    {{"org.opencontainers.image.title", "x"}, {"a", "b"}}};
  const auto text = manifest.serialise();
  EXPECT_EQ(text, R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
                  R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
                      digest_of('c') + R"(","size":7},"layers":[{"mediaType":)" +
                      R"("application/vnd.oci.image.layer.v1.tar+gzip","digest":")" + digest_of('1') +
                      R"(","size":42,"annotations":{"a":"<é>","z":"1"}}],)" +
                      R"("annotations":{"a":"b","org.opencontainers.image.title":"x"}})");
  const auto parsed = Manifest::parse(text);
  EXPECT_EQ(parsed.config, manifest.config);
  EXPECT_EQ(parsed.layers, manifest.layers);
  EXPECT_EQ(parsed.annotations, manifest.annotations);
  EXPECT_EQ(parsed.serialise(), text);
}

TEST(Manifest, AcceptsWhatImagesHave) {
  const auto docker = Manifest::parse(
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":)" +
      descriptor(std::string(k_media_docker_config), 'c') + R"(,"layers":[]})");
  EXPECT_EQ(docker.media_type, k_media_docker_manifest);
  // mediaType is optional in OCI, unknown members are ignored, Go writes nil maps as null.
  const auto bare = Manifest::parse(R"({"schemaVersion":2,"config":)" + descriptor("x", 'c') +
                                    R"(,"layers":[],"annotations":null,"subject":{"a":[1]},"new":1})");
  EXPECT_EQ(bare.media_type, k_media_manifest);
  EXPECT_EQ(Manifest::parse(manifest_text(descriptor("x", '1', "9007199254740992"))).layers[0].size, 1ULL << 53U);
}

struct Case {
  std::string name;
  std::string text;
  std::string message;
};

class ManifestError : public testing::TestWithParam<Case> {};

TEST_P(ManifestError, IsRefused) {
  EXPECT_THAT(error_of(GetParam().text), testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ManifestError,
    testing::Values(
        Case{"empty", "", "not valid JSON"}, Case{"array", "[]", "not a JSON object"},
        Case{"trailing", manifest_text("") + "x", "not valid JSON"},
        Case{"not_utf8", manifest_text("", ",\"a\":\"\xff\""), "not valid JSON"},
        Case{"too_long", manifest_text("", ",\"a\":\"" + std::string(4U << 20, 'x') + "\""), "more than the allowed"},
        Case{"too_deep", manifest_text("", ",\"a\":" + std::string(100000, '[') + std::string(100000, ']')),
             "nested deeper than 64 levels"},
        Case{"duplicate_name", manifest_text("", ",\"layers\":[]"), "the name \"layers\" comes twice"},
        Case{"duplicate_inside", manifest_text(descriptor("x", '1', "1", ",\"size\":2")),
             "the name \"size\" comes twice"},
        Case{"schema_1", R"({"schemaVersion":1,"name":"a","fsLayers":[]})", "Docker schema 1 manifest"},
        Case{"schema_1_by_type",
             R"({"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws","signatures":[]})",
             "Docker schema 1 manifest"},
        Case{"no_version", R"({"config":{},"layers":[]})", "schemaVersion: expected 2"},
        Case{"version_text", R"({"schemaVersion":"2"})", "schemaVersion: expected an integer"},
        Case{"an_index", R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})",
             "is not an image manifest"},
        Case{"both", manifest_text("", ",\"manifests\":[]"), "both a manifest and an index"},
        Case{"no_config", R"({"schemaVersion":2,"layers":[]})", "config: missing"},
        Case{"no_layers", R"({"schemaVersion":2,"config":)" + descriptor("x", 'c') + "}", "layers: missing"},
        Case{"layers_object", R"({"schemaVersion":2,"config":)" + descriptor("x", 'c') + ",\"layers\":{}}",
             "layers: expected an array"},
        Case{"layer_text", manifest_text("\"x\""), "layers[0]: expected an object"},
        Case{"negative_size", manifest_text(descriptor("x", '1', "-1")), "layers[0]: size: expected a size"},
        Case{"huge_size", manifest_text(descriptor("x", '1', "9223372036854775808")), "size: expected a size"},
        Case{"float_size", manifest_text(descriptor("x", '1', "1.0")), "size: expected a size"},
        Case{"text_size", manifest_text(descriptor("x", '1', "\"1\"")), "size: expected a size"},
        Case{"path_digest", manifest_text(R"({"mediaType":"x","digest":"sha256:../../x","size":1})"),
             "layers[0]: digest: invalid digest"},
        Case{"number_digest", manifest_text(R"({"mediaType":"x","digest":1,"size":1})"), "digest: expected a digest"},
        Case{"no_media_type", manifest_text(R"({"digest":"x","size":1})"), "mediaType: missing"},
        Case{"annotation_number", manifest_text("", ",\"annotations\":{\"a\":1}"), "annotations: expected strings"}),
    [](const testing::TestParamInfo<Case>& param) { return param.param.name; });

TEST(Manifest, LimitsTheNumberOfLayers) {
  std::string layers = descriptor("x", '1');
  for (int i = 1; i < 1000; ++i) layers += "," + descriptor("x", '1');
  EXPECT_EQ(Manifest::parse(manifest_text(layers)).layers.size(), 1000U);
  EXPECT_THAT(error_of(manifest_text(layers + "," + descriptor("x", '1'))),
              testing::HasSubstr("more than the allowed 1000"));
}

Descriptor entry(char digest, std::optional<Platform> platform) {
  return {std::string(k_media_manifest), Digest::parse(digest_of(digest)), 1, {}, std::move(platform)};
}

TEST(Index, FindsThePlatform) {
  const Index index{std::string(k_media_index),
                    {entry('1', std::nullopt), entry('2', Platform{"linux", "arm64", "v8"}),
                     entry('3', Platform{"linux", "amd64", "v3"}), entry('4', Platform{"linux", "amd64", ""}),
                     entry('5', Platform{"linux", "amd64", ""}), entry('6', Platform{"unknown", "unknown", ""})}};
  ASSERT_NE(index.find(Platform{}), nullptr);
  EXPECT_EQ(index.find(Platform{})->digest.str(), digest_of('4'));  // first match, not the variant
  EXPECT_EQ(index.find(Platform::parse("linux/aarch64"))->digest.str(), digest_of('2'));
  EXPECT_EQ(index.find(Platform::parse("linux/s390x")), nullptr);
  EXPECT_EQ(index.find(Platform{"unknown", "unknown", ""}), nullptr);
  EXPECT_EQ(index.platforms(), "linux/arm64/v8, linux/amd64/v3, linux/amd64");
}

TEST(Index, RoundTripsByteExactly) {
  const Index index{std::string(k_media_index), {entry('1', Platform{"linux", "arm", "v7"})}, {{"a", "b"}}};
  const auto text = index.serialise();
  EXPECT_EQ(text,
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":)"
            R"("application/vnd.oci.image.manifest.v1+json","digest":")" +
                digest_of('1') + R"(","size":1,"platform":{"architecture":"arm","os":"linux","variant":"v7"}}],)" +
                R"("annotations":{"a":"b"}})");
  EXPECT_EQ(Index::parse(text).serialise(), text);
}

TEST(Index, ListOfPlatformsIsBounded) {
  Index index{std::string(k_media_index), {}};
  for (int i = 0; i < 5000; ++i) index.manifests.push_back(entry('1', Platform{"os" + std::to_string(i), "a", ""}));
  EXPECT_LT(index.platforms().size(), 400U);
  EXPECT_THAT(index.platforms(), testing::EndsWith(", ..."));
}

TEST(Index, RefusesAManifestAndTooManyEntries) {
  EXPECT_THROW(Index::parse(manifest_text("")), Error);
  std::string entries;
  for (int i = 0; i < 20000; ++i) entries += descriptor("x", '1') + ",";
  const auto text = R"({"schemaVersion":2,"manifests":[)" + entries + descriptor("x", '1') + "]}";
  EXPECT_THROW(Index::parse(text), Error);
}

// Hours, where each element of an array is compared with all before it.
TEST(Manifest, ManyElementsAreReadInTime) {
  std::string list = "{}";
  for (int i = 0; i < 200'000; ++i) list += ",{}";
  const auto manifest = Manifest::parse(manifest_text("", ",\"a\":[" + list + "]"));
  EXPECT_TRUE(manifest.layers.empty());
}

}  // namespace
}  // namespace tektii::oci
