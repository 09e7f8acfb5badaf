#include <tektii/oci/image.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

namespace tektii::oci {
namespace {

Digest digest_of(char c) {
  return Digest::of_hex(std::string(64, c));
}

Layer layer(char blob, char diff_id, std::string_view media_type = k_media_layer_gzip) {
  return Layer{Descriptor{std::string(media_type), digest_of(blob), 100}, digest_of(diff_id)};
}

ImageConfig config_for(std::vector<Digest> diff_ids) {
  ImageConfig config;
  config.created = "1980-01-01T00:00:00Z";
  config.diff_ids = std::move(diff_ids);
  config.config.cmd = std::vector<std::string>{"python3"};
  return config;
}

template <typename Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::failure, "no error");
}

TEST(SealImage, DigestsAreOfTheBytes) {
  const auto image = seal_image(config_for({digest_of('a'), digest_of('b')}),
                                {layer('1', 'a', k_media_docker_layer), layer('2', 'b')}, {{"k", "v"}});
  EXPECT_EQ(image.config.digest, Digest::of_bytes(image.config_bytes));
  EXPECT_EQ(image.config.size, image.config_bytes.size());
  EXPECT_EQ(image.manifest.digest, Digest::of_bytes(image.manifest_bytes));
  EXPECT_EQ(image.manifest.size, image.manifest_bytes.size());
  EXPECT_EQ(image.manifest.media_type, k_media_manifest);
  const auto manifest = Manifest::parse(image.manifest_bytes);
  EXPECT_EQ(manifest.config, image.config);
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[0].media_type, k_media_layer_gzip);  // the Docker name became the OCI one
  EXPECT_EQ(manifest.layers[0], image.layers[0].blob);
  EXPECT_EQ(manifest.annotations.at("k"), "v");
}

// The digest of an image is a promise to users: the same input gives it with every version of this program.
TEST(SealImage, IsPinned) {
  const auto image = seal_image(config_for({digest_of('a')}), {layer('1', 'a')}, {});
  EXPECT_EQ(image.config_bytes,
            R"({"architecture":"amd64","config":{"Cmd":["python3"]},"created":"1980-01-01T00:00:00Z","os":"linux",)"
            R"("rootfs":{"type":"layers","diff_ids":["sha256:)" +
                std::string(64, 'a') + R"("]}})");
  EXPECT_EQ(image.manifest.digest.str(), "sha256:6a086a68542bf9bb404a8262ccd9d31843641551611d3d49a5ecfa301c85912c");
}

TEST(SealImage, RefusesLayersThatDisagree) {
  EXPECT_THAT(error_of([] { seal_image(config_for({}), {layer('1', 'a')}, {}); }).what(),
              testing::HasSubstr("1 layers, but its config has 0 diff_ids"));
  EXPECT_THAT(error_of([] { seal_image(config_for({digest_of('b')}), {layer('1', 'a')}, {}); }).what(),
              testing::HasSubstr("the config says"));
}

class ResolveImage : public testing::Test {
 protected:
  SealedImage image_ = seal_image(config_for({digest_of('a')}), {layer('1', 'a')}, {});
  BlobOrigin origin_{"docker.io", "library/python"};

  ResolvedImage resolve(const Platform& want = {}) {
    return make_resolved_image("docker.io/library/python:3", image_.manifest, image_.manifest_bytes,
                               image_.config_bytes, want, origin_);
  }

  void set_manifest(const Manifest& manifest) {
    image_.manifest_bytes = manifest.serialise();
    image_.manifest.digest = Digest::of_bytes(image_.manifest_bytes);
    image_.manifest.size = image_.manifest_bytes.size();
  }
};

TEST_F(ResolveImage, JoinsLayersAndDiffIds) {
  const auto resolved = resolve();
  EXPECT_EQ(resolved.name, "docker.io/library/python:3");
  ASSERT_EQ(resolved.layers.size(), 1U);
  EXPECT_EQ(resolved.layers[0].blob.digest, digest_of('1'));
  EXPECT_EQ(resolved.layers[0].diff_id, digest_of('a'));
  EXPECT_EQ(resolved.layers[0].origin, origin_);
  EXPECT_EQ(resolved.config.config.cmd, std::vector<std::string>{"python3"});
  EXPECT_EQ(resolved.manifest_bytes, image_.manifest_bytes);
}

TEST_F(ResolveImage, PlatformMismatchHasTheDocumentedText) {
  auto config = config_for({digest_of('a')});
  config.platform = Platform{"linux", "arm64", ""};
  image_ = seal_image(config, {layer('1', 'a')}, {});
  const auto error = error_of([&] { resolve(); });
  EXPECT_EQ(error.kind(), ErrorKind::platform_mismatch);
  EXPECT_STREQ(error.what(), "Image platform mismatch (expected linux/amd64, got linux/arm64)");
  EXPECT_NO_THROW(resolve(Platform::parse("linux/aarch64")));
}

TEST_F(ResolveImage, RefusesBytesThatAreNotWhatTheDescriptorSays) {
  image_.config_bytes += " ";
  EXPECT_THAT(error_of([&] { resolve(); }).what(), testing::HasSubstr("image config: size mismatch"));
  image_.config_bytes.pop_back();
  image_.config_bytes[2] = 'A';
  EXPECT_THAT(error_of([&] { resolve(); }).what(),
              testing::HasSubstr("image config: digest mismatch: expected sha256:"));
  image_.manifest_bytes[2] = 'S';
  EXPECT_THAT(error_of([&] { resolve(); }).what(), testing::HasSubstr("image manifest: digest mismatch"));
}

TEST_F(ResolveImage, RefusesDifferentCounts) {
  auto manifest = Manifest::parse(image_.manifest_bytes);
  manifest.layers.push_back(manifest.layers[0]);
  set_manifest(manifest);
  EXPECT_THAT(error_of([&] { resolve(); }).what(), testing::HasSubstr("2 layers, but its config has 1 diff_ids"));
}

TEST_F(ResolveImage, RefusesWhatIsNotAnImage) {
  auto manifest = Manifest::parse(image_.manifest_bytes);
  manifest.config.media_type = "application/vnd.cncf.helm.config.v1+json";
  set_manifest(manifest);
  EXPECT_THAT(error_of([&] { resolve(); }).what(), testing::HasSubstr("not a container image"));
  manifest.config.media_type = k_media_config;
  manifest.layers[0].media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  set_manifest(manifest);
  EXPECT_THAT(error_of([&] { resolve(); }).what(), testing::HasSubstr("unsupported type"));
}

}  // namespace
}  // namespace tektii::oci
