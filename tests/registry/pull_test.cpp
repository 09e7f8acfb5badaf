#include "registry/client_fixture.hpp"

#include <fmt/format.h>

namespace tektii::registry {
namespace {

using tektii::testing::ServerRequest;
using tektii::testing::ServerResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Answer = std::optional<ServerResponse>;

class PullTest : public ClientTest {
 protected:
  void SetUp() override {
    start();
    publish(image, "app", "1");
  }

  oci::ResolvedImage resolve(const std::string& name = "app:1") {
    return client->image(reference(name))->resolve({}, {});
  }
  std::string fetch(const oci::Descriptor& blob) {
    StringSink sink;
    client->image(reference("app:1"))->fetch(blob, sink, {});
    return sink.take();
  }
  void intercept(const std::string& path_part, std::function<Answer(const ServerRequest&)> answer) {
    server->set_intercept([path_part, answer = std::move(answer)](const ServerRequest& request) -> Answer {
      return request.path().find(path_part) == std::string::npos ? std::nullopt : answer(request);
    });
  }

  SampleImage image = make_sample_image({"first layer", std::string(300000, 'z')});
  const oci::Descriptor& layer(std::size_t index) const { return image.sealed.layers[index].blob; }
};

TEST_F(PullTest, ResolvesATagInTwoRequests) {
  const oci::ResolvedImage resolved = resolve();
  EXPECT_EQ(resolved.manifest.digest, image.sealed.manifest.digest);
  EXPECT_EQ(resolved.config_bytes, image.sealed.config_bytes);
  EXPECT_EQ(resolved.name, server->name() + "/app:1");
  ASSERT_EQ(resolved.layers.size(), 2U);
  EXPECT_EQ(resolved.layers[0].origin, (oci::BlobOrigin{server->name(), "app"}));
  EXPECT_THAT(lines(), ElementsAre("GET /v2/app/manifests/1", "GET /v2/app/blobs/" + image.sealed.config.digest.str()));
}

TEST_F(PullTest, DocumentsThatAreKnownAreNotAskedForUnlessTheyAreDamaged) {
  std::map<std::string, std::string> kept;
  DocumentCache documents;
  documents.find = [&](const oci::Digest& digest) -> std::optional<std::string> {
    const auto found = kept.find(digest.str());
    return found == kept.end() ? std::nullopt : std::optional(found->second);
  };
  documents.keep = [&](const std::string& bytes) { kept[oci::Digest::of_bytes(bytes).str()] = bytes; };
  RegistryClient with_cache(RegistryDeps{*transport, credentials, &clock, {}, documents});
  const auto pinned = reference("app@" + image.sealed.manifest.digest.str());
  with_cache.image(pinned)->resolve({}, {});
  EXPECT_EQ(lines().size(), 2U);
  const auto again = with_cache.image(pinned)->resolve({}, {});
  EXPECT_EQ(lines().size(), 2U);
  EXPECT_EQ(again.config_bytes, image.sealed.config_bytes);
  EXPECT_EQ(again.manifest.media_type, image.sealed.manifest.media_type);
  for (auto& [digest, bytes] : kept) bytes += " ";
  EXPECT_EQ(with_cache.image(pinned)->resolve({}, {}).config_bytes, image.sealed.config_bytes);
  EXPECT_EQ(lines().size(), 4U);
}

TEST_F(PullTest, AsksForAllKindsOfManifestByName) {
  resolve();
  const std::string accept = server->server().requests().at(0).header("Accept").value_or("");
  for (const auto type :
       {oci::k_media_manifest, oci::k_media_index, oci::k_media_docker_manifest, oci::k_media_docker_list}) {
    EXPECT_THAT(accept, HasSubstr(std::string(type)));
  }
}

TEST_F(PullTest, FetchesBlobsVerified) {
  EXPECT_EQ(fetch(layer(1)), std::string(300000, 'z'));
}

TEST_F(PullTest, PicksThePlatformFromAnIndex) {
  const SampleImage arm = make_sample_image({"arm"}, "arm64");
  publish(arm, "multi", "");
  publish(image, "multi", "");
  for (const auto type : {oci::k_media_index, oci::k_media_docker_list}) {
    oci::Index index;
    index.media_type = std::string(type);
    index.manifests = {arm.sealed.manifest, image.sealed.manifest};
    index.manifests[0].platform = oci::Platform{"linux", "arm64", ""};
    index.manifests[1].platform = oci::Platform{};
    server->add_manifest("multi", "all", index.media_type, index.serialise());
    EXPECT_EQ(resolve("multi:all").manifest.digest, image.sealed.manifest.digest);
  }
}

TEST_F(PullTest, AnIndexWithoutThePlatformListsWhatThereIs) {
  const SampleImage arm = make_sample_image({"arm"}, "arm64");
  oci::Index index;
  index.media_type = std::string(oci::k_media_index);
  index.manifests = {arm.sealed.manifest};
  index.manifests[0].platform = oci::Platform{"linux", "arm64", ""};
  server->add_manifest("app", "arm", index.media_type, index.serialise());
  const Error error = error_of([&] { resolve("app:arm"); });
  EXPECT_EQ(error.kind(), ErrorKind::platform_mismatch);
  EXPECT_EQ(error.message(), "Image platform mismatch (expected linux/amd64, got linux/arm64)");
}

TEST_F(PullTest, AnImageOfAnotherPlatformIsRefused) {
  publish(make_sample_image({"arm"}, "arm64"), "app", "arm");
  const Error error = error_of([&] { resolve("app:arm"); });
  EXPECT_EQ(error.kind(), ErrorKind::platform_mismatch);
  EXPECT_EQ(error.message(), "Image platform mismatch (expected linux/amd64, got linux/arm64)");
}

TEST_F(PullTest, Schema1IsRefusedByName) {
  server->add_manifest("app", "old", "application/vnd.docker.distribution.manifest.v1+prettyjws",
                       R"({"schemaVersion":1,"name":"app","tag":"old","fsLayers":[]})");
  EXPECT_THAT(error_of([&] { resolve("app:old"); }).what(), HasSubstr("schema 1"));
}

TEST_F(PullTest, AMissingImageIsNotFound) {
  const Error error = error_of([&] { resolve("app:2"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_EQ(error.message(), "image " + server->name() + "/app:2 not found");
}

TEST_F(PullTest, ManifestDigestsAreChecked) {
  intercept("/manifests/", [&](const ServerRequest&) -> Answer {
    return ServerResponse{.headers = {{"Docker-Content-Digest", "sha256:" + std::string(64, '0')},
                                      {"Content-Type", image.sealed.manifest.media_type}},
                          .body = image.sealed.manifest_bytes};
  });
  EXPECT_THAT(error_of([&] { resolve(); }).what(), HasSubstr("digest mismatch: the registry announced"));
  intercept("/manifests/", [&](const ServerRequest&) -> Answer {
    return ServerResponse{.headers = {{"Content-Type", image.sealed.manifest.media_type}},
                          .body = image.sealed.manifest_bytes + " "};
  });
  const std::string pinned = "app@" + image.sealed.manifest.digest.str();
  EXPECT_THAT(error_of([&] { resolve(pinned); }).what(), HasSubstr("digest mismatch: the registry sent"));
}

TEST_F(PullTest, WrongBytesOfTheRightLengthAreRefused) {
  intercept("/blobs/", [&](const ServerRequest&) -> Answer { return ServerResponse{.body = "First layer"}; });
  const Error error = error_of([&] { fetch(layer(0)); });
  EXPECT_EQ(error.kind(), ErrorKind::content);
  EXPECT_THAT(error.what(), HasSubstr("digest mismatch"));
  EXPECT_THAT(error.what(), HasSubstr(layer(0).digest.str()));
}

TEST_F(PullTest, OneByteTooManyStopsThePull) {
  intercept("/blobs/", [&](const ServerRequest&) -> Answer {
    return ServerResponse{.body = "first layer" + std::string(1 << 20, 'x')};
  });
  StringSink sink;
  const auto source = client->image(reference("app:1"));
  EXPECT_THAT(error_of([&] { source->fetch(layer(0), sink, {}); }).what(), HasSubstr("more than the 11 bytes"));
  EXPECT_LE(sink.str().size(), 11U);
}

TEST_F(PullTest, TooShortIsAnError) {
  intercept("/blobs/", [&](const ServerRequest&) -> Answer { return ServerResponse{.body = "first"}; });
  EXPECT_THAT(error_of([&] { fetch(layer(0)); }).what(), HasSubstr("sent 5 bytes"));
}

TEST_F(PullTest, ABrokenPullGoesOnWhereItStopped) {
  int asked = 0;
  intercept("/blobs/", [&](const ServerRequest&) -> Answer {
    if (++asked > 1) return std::nullopt;
    return ServerResponse{.body = std::string(100000, 'z'), .claimed_length = 300000};
  });
  EXPECT_EQ(fetch(layer(1)), std::string(300000, 'z'));
  const auto requests = server->server().requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].header("Range"), "bytes=100000-");
}

TEST_F(PullTest, AServerThatIgnoresTheRangeIsNoProblem) {
  int asked = 0;
  intercept("/blobs/", [&](const ServerRequest&) -> Answer {
    if (++asked == 1) return ServerResponse{.body = std::string(100000, 'z'), .claimed_length = 300000};
    return ServerResponse{.body = std::string(300000, 'z')};
  });
  EXPECT_EQ(fetch(layer(1)), std::string(300000, 'z'));
}

TEST_F(PullTest, AnotherRangeThanAskedForIsRefused) {
  int asked = 0;
  intercept("/blobs/", [&](const ServerRequest&) -> Answer {
    if (++asked == 1) return ServerResponse{.body = std::string(100000, 'z'), .claimed_length = 300000};
    return ServerResponse{
        .status = 206, .headers = {{"Content-Range", "bytes 7-299999/300000"}}, .body = std::string(299993, 'z')};
  });
  EXPECT_THAT(error_of([&] { fetch(layer(1)); }).what(), HasSubstr("another range"));
}

TEST_F(PullTest, GoesOnUntilTheTimeForFailuresIsUsedUp) {
  intercept("/blobs/", [&](const ServerRequest&) -> Answer { return ServerResponse{.drop = true}; });
  const auto began = clock.now();
  const Error error = error_of([&] { fetch(layer(0)); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr(server->name() + "/app"));
  EXPECT_THAT(error.hints().back(), HasSubstr("tried "));
  EXPECT_GE(count("GET", "/v2/app/blobs/"), 10);
  EXPECT_LE(clock.now() - began, std::chrono::minutes(5));
  EXPECT_GE(clock.now() - began, std::chrono::minutes(4));
}

TEST_F(PullTest, BusyServersAreAskedAgain) {
  int asked = 0;
  server->set_intercept([&](const ServerRequest&) -> Answer {
    if (++asked % 2 == 0) return std::nullopt;
    return ServerResponse{.status = 503, .headers = {{"Retry-After", "3"}}};
  });
  EXPECT_EQ(resolve().manifest.digest, image.sealed.manifest.digest);
  ASSERT_FALSE(clock.sleeps().empty());
  EXPECT_EQ(clock.sleeps()[0], std::chrono::seconds(3));
}

TEST_F(PullTest, BlobsMayBeElsewhere) {
  tektii::testing::HttpServer storage([](const ServerRequest&) { return ServerResponse{.body = "first layer"}; });
  intercept("/blobs/", [&](const ServerRequest&) -> Answer {
    return ServerResponse{.status = 307, .headers = {{"Location", storage.url("/b?X-Amz-Signature=abc%2F")}}};
  });
  EXPECT_EQ(fetch(layer(0)), "first layer");
  EXPECT_EQ(storage.lines().at(0), "GET /b?X-Amz-Signature=abc%2F");
}

TEST_F(PullTest, AWebServerIsNoRegistry) {
  server->set_intercept([](const ServerRequest&) -> Answer {
    return ServerResponse{.headers = {{"Content-Type", "text/html; charset=utf-8"}}, .body = "<html>"};
  });
  const Error error = error_of([&] { resolve(); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr("does not speak the registry protocol"));
}

TEST_F(PullTest, HugeManifestsAreRefused) {
  intercept("/manifests/",
            [&](const ServerRequest&) -> Answer { return ServerResponse{.body = std::string(5 << 20, ' ')}; });
  EXPECT_THROW(resolve(), Error);
}

TEST_F(PullTest, AnUnreachableRegistryIsNamed) {
  const std::string name = server->name();
  const auto source = client->image(reference("app:1"));
  server.reset();
  const Error error = error_of([&] { source->resolve({}, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_EQ(std::string(error.what()), fmt::format("pull {0}/app:1: cannot connect to {0}: Connection refused", name));
}

}  // namespace
}  // namespace tektii::registry
