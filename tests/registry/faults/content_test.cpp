#include "registry/faults/fault_fixture.hpp"
#include <tektii/oci/content.hpp>
#include <tektii/oci/manifest.hpp>

#include <fmt/format.h>

namespace tektii::registry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What comes from a registry is not trusted: each of these is refused with a reason, before anything is kept.
struct Hostile {
  FaultServer& server;
  RegistryClient& client;
  std::string good_digest = oci::Digest::of_bytes("{}").str();

  oci::ImageReference reference(const std::string& name) const {
    return oci::ImageReference::parse(server.name() + "/" + name);
  }
  oci::ResolvedImage resolve(const std::string& name = "app:1") {
    return client.image(reference(name))->resolve({}, {});
  }
  Error resolve_error(const std::string& name = "app:1") {
    try {
      resolve(name);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no Error";
    return Error(ErrorKind::interrupted, "none");
  }
  // The error of an image whose manifest is this text.
  Error error_of_manifest(const std::string& text, std::string_view type = oci::k_media_manifest) {
    server.store().add_manifest("app", "1", std::string(type), text);
    return resolve_error();
  }
  // The error of an image whose config is this text.
  Error error_of_config(const std::string& config) {
    server.store().add_blob("app", config);
    const oci::Manifest manifest{std::string(oci::k_media_manifest),
                                 {std::string(oci::k_media_config), oci::Digest::of_bytes(config), config.size()},
                                 {}};
    return error_of_manifest(manifest.serialise());
  }
  static std::string manifest_with(const std::string& digest, const std::string& size) {
    return fmt::format(R"({{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[]}})",
                       oci::k_media_config, digest, size);
  }
  // An index of one entry; put into the registry.
  oci::Descriptor add_index(const oci::Descriptor& entry) {
    const auto text = oci::Index{std::string(oci::k_media_index), {entry}}.serialise();
    server.store().add_manifest("app", "1", std::string(oci::k_media_index), text);
    return {std::string(oci::k_media_index), oci::Digest::of_bytes(text), text.size()};
  }
};

TEST_F(FaultTable, Row42_HugeManifest) {
  Hostile hostile{*server, *client};
  EXPECT_THAT(hostile.error_of_manifest(std::string(5 << 20, ' ')).what(), HasSubstr("more than"));
}

TEST_F(FaultTable, Row42_HugeConfig) {
  Hostile hostile{*server, *client};
  const auto size = std::to_string(std::uint64_t{5} << 20);
  EXPECT_THAT(hostile.error_of_manifest(hostile.manifest_with(hostile.good_digest, size)).what(),
              HasSubstr("too large"));
  EXPECT_EQ(server->count("GET", "/blobs/"), 0);
}

TEST_F(FaultTable, Row42_ConfigOfAnotherSize) {
  Hostile hostile{*server, *client};
  server->store().add_blob("app", "{}");
  EXPECT_THAT(hostile.error_of_manifest(hostile.manifest_with(hostile.good_digest, "1")).what(),
              HasSubstr("more than the 1 bytes"));
  EXPECT_THAT(hostile.error_of_manifest(hostile.manifest_with(hostile.good_digest, "3")).what(), HasSubstr("2 bytes"));
}

TEST_F(FaultTable, Row42_DeepAndDuplicateAndWrong) {
  Hostile hostile{*server, *client};
  const std::string deep = R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_THAT(hostile.error_of_manifest(deep).what(), HasSubstr("nested deeper"));
  EXPECT_THAT(hostile.error_of_config(deep).what(), HasSubstr("nested deeper"));
  EXPECT_THAT(hostile.error_of_manifest(R"({"schemaVersion":2,"schemaVersion":2})").what(), HasSubstr("comes twice"));
  EXPECT_THAT(hostile.error_of_config(R"({"os":"linux","os":"windows"})").what(), HasSubstr("comes twice"));
  for (const char* text :
       {"[]", "null", "", "{", "\"\\ud800\"", "{\"schemaVersion\":2}x", "{\"schemaVersion\":\"2\"}",
        "{\"schemaVersion\":2,\"config\":[],\"layers\":[]}", "{\"schemaVersion\":2,\"config\":7,\"layers\":{}}"}) {
    EXPECT_FALSE(std::string(hostile.error_of_manifest(text).what()).empty()) << text;
  }
  for (const char* text : {"[]", "{\"rootfs\":[]}", "{\"config\":1}", "{\"config\":{\"Env\":{}}}", "\xff"}) {
    EXPECT_FALSE(std::string(hostile.error_of_config(text).what()).empty()) << text;
  }
}

TEST_F(FaultTable, Row42_ImpossibleSizes) {
  Hostile hostile{*server, *client};
  for (const char* size :
       {"-1", "9223372036854775808", "18446744073709551616", "9007199254740993", "1.5", "\"2\"", "1e3"}) {
    EXPECT_THAT(hostile.error_of_manifest(hostile.manifest_with(hostile.good_digest, size)).what(),
                HasSubstr("expected a size"))
        << size;
  }
}

TEST_F(FaultTable, Row43_DigestsThatAreNone) {
  Hostile hostile{*server, *client};
  const std::string hex = hostile.good_digest.substr(7);
  for (const std::string& digest :
       {std::string("sha256:../../x"), std::string("sha256:..%2f..%2fx"), "sha256:" + hex.substr(1),
        "sha256:" + hex + "0", "SHA256:" + hex, "sha256:" + std::string(64, 'A'), "md5:" + hex, "sha512:" + hex + hex,
        "blake3:" + hex, hex, std::string("/etc/passwd"), std::string("sha256:"), std::string()}) {
    server->clear_requests();
    EXPECT_THAT(hostile.error_of_manifest(hostile.manifest_with(digest, "2")).what(), HasSubstr("invalid digest"))
        << digest;
    // Nothing is asked for by it, and so no path or URL is made of it.
    EXPECT_EQ(server->lines(), std::vector<std::string>{"GET /v2/app/manifests/1"}) << digest;
  }
}

TEST_F(FaultTable, Row43_DigestsOfLayersAndDiffIds) {
  Hostile hostile{*server, *client};
  const std::string diff =
      R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:../x"]}})";
  EXPECT_THAT(hostile.error_of_config(diff).what(), HasSubstr("invalid digest"));
  const auto index = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"sha256:../x","size":2}}]}})",
      oci::k_media_index, oci::k_media_manifest);
  EXPECT_THAT(hostile.error_of_manifest(index, oci::k_media_index).what(), HasSubstr("invalid digest"));
}

TEST_F(FaultTable, Row44_IndexesInsideIndexes) {
  Hostile hostile{*server, *client};
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "");
  auto entry = image.sealed.manifest;
  entry.platform = oci::Platform{};
  // Up to a depth they are followed, also where the inner one has no platform.
  entry = hostile.add_index(hostile.add_index(entry));
  EXPECT_EQ(hostile.resolve().manifest.digest, image.sealed.manifest.digest);
  for (int i = 0; i < 10; ++i) entry = hostile.add_index(entry);
  EXPECT_THAT(hostile.resolve_error().what(), HasSubstr("nested deeper than 8 levels"));
}

TEST_F(FaultTable, Row44_AnIndexOfTooManyEntries) {
  Hostile hostile{*server, *client};
  std::string entries;
  for (int i = 0; i < 20000; ++i) entries += R"({"mediaType":"a","digest":")" + hostile.good_digest + R"(","size":2},)";
  entries.pop_back();
  const auto text =
      fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})", oci::k_media_index, entries);
  EXPECT_THAT(hostile.error_of_manifest(text, oci::k_media_index).what(), HasSubstr("more than the allowed 10000"));
}

TEST_F(FaultTable, Row44_NoMatchingPlatformListsThosePresent) {
  Hostile hostile{*server, *client};
  oci::Index index{std::string(oci::k_media_index), {}};
  for (const char* architecture : {"arm64", "s390x"}) {
    index.manifests.push_back({std::string(oci::k_media_manifest), oci::Digest::of_bytes(architecture), 2});
    index.manifests.back().platform = oci::Platform{"linux", architecture, ""};
  }
  const Error error = hostile.error_of_manifest(index.serialise(), oci::k_media_index);
  EXPECT_EQ(error.kind(), ErrorKind::platform_mismatch);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("linux/arm64"), HasSubstr("linux/s390x")));
}

TEST_F(FaultTable, Row45_Schema1IsRefusedByName) {
  Hostile hostile{*server, *client};
  const std::string text =
      R"({"schemaVersion":1,"name":"app","tag":"1","architecture":"amd64","fsLayers":[],"history":[]})";
  for (const char* type : {"application/vnd.docker.distribution.manifest.v1+prettyjws",
                           "application/vnd.docker.distribution.manifest.v1+json", "application/json"}) {
    const Error error = hostile.error_of_manifest(text, type);
    EXPECT_THAT(error.what(), HasSubstr("schema 1")) << type;
    EXPECT_FALSE(error.hints().empty());
  }
}

TEST_F(FaultTable, Row46_AnnouncedDigestIsNotThatOfTheBody) {
  Hostile hostile{*server, *client};
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "1");
  const auto other = oci::Digest::of_bytes("other").str();
  server->on({"GET", "/manifests/", 1, 0}, Fault{.headers = {{"Docker-Content-Digest", other}}});
  EXPECT_THAT(hostile.resolve_error().what(), AllOf(HasSubstr("digest mismatch"), HasSubstr(other)));
  EXPECT_THAT(error_of([&] { client->content(reference("app:1"))->read_top({}); }).what(),
              HasSubstr("digest mismatch"));
}

TEST_F(FaultTable, Row46_TheBodyIsNotWhatTheDigestNames) {
  Hostile hostile{*server, *client};
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "1");
  const auto digest = image.sealed.manifest.digest.str();
  server->on({"GET", "/manifests/", 1, 0},
             Fault{.without = {"Docker-Content-Digest"}, .alter_body = [](std::string& body) { body += " "; }});
  EXPECT_THAT(hostile.resolve_error("app@" + digest).what(), HasSubstr("digest mismatch"));
}

}  // namespace
}  // namespace tektii::registry
