#include <tektii/oci/digest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/oci/platform.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

#include <utility>
#include <vector>

namespace tektii::oci {
namespace {

TEST(Digest, OfBytes) {
  const auto digest = Digest::of_bytes("{}");
  // The empty descriptor of the image specification.
  EXPECT_EQ(digest.str(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(digest.algorithm(), "sha256");
  EXPECT_EQ(digest.hex().size(), 64U);
  EXPECT_EQ(digest.short_hex(), "44136fa355b3");
  EXPECT_EQ(Digest::parse(digest.str()), digest);
  EXPECT_EQ(Digest::of_hex(digest.hex()), digest);
}

TEST(Digest, RefusesEverythingElse) {
  const std::string hex(64, 'a');
  for (const auto& text :
       {std::string(), hex, "sha256:" + std::string(63, 'a'), "sha256:" + std::string(65, 'a'),
        "sha256:" + std::string(64, 'A'), "SHA256:" + hex, std::string("sha256:../../../../etc/passwd"),
        "sha512:" + hex + hex, "sha256:" + std::string(63, 'a') + "/", " sha256:" + hex,
        "sha256:" + std::string(63, 'a') + "\n"}) {
    EXPECT_FALSE(Digest::is_valid(text)) << text;
    EXPECT_THROW(Digest::parse(text), Error) << text;
  }
  EXPECT_THROW(Digest::of_hex("xyz"), Error);
}

TEST(Digest, ErrorIsShortAndHarmless) {
  try {
    Digest::parse("\x1b[2J" + std::string(1000000, 'x'));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("invalid digest \"\\x1b[2J"));
    EXPECT_LT(error.message().size(), 300U);
  }
}

TEST(Platform, ParsesAndNormalises) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"linux/amd64", "linux/amd64"},    {"linux/x86_64", "linux/amd64"},      {"Linux/AMD64", "linux/amd64"},
      {"linux/amd64/v1", "linux/amd64"}, {"linux/amd64/v3", "linux/amd64/v3"}, {"linux/aarch64", "linux/arm64"},
      {"linux/arm64/v8", "linux/arm64"}, {"linux/arm", "linux/arm/v7"},        {"linux/armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},   {"linux/arm/6", "linux/arm/v6"},      {"linux/i386", "linux/386"},
      {"macos/aarch64", "darwin/arm64"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Platform::parse(text).str(), expected) << text;
  EXPECT_EQ(Platform::parse("linux/amd64"), Platform{});
}

TEST(Platform, RefusesWhatIsNotOne) {
  for (const auto* text :
       {"", "linux", "amd64", "linux/", "/amd64", "linux/amd64/", "a/b/c/d", "linux/am d64", "li\nux/a"}) {
    try {
      Platform::parse(text);
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
  }
}

TEST(MediaType, Classes) {
  EXPECT_TRUE(is_index(k_media_index));
  EXPECT_TRUE(is_index(k_media_docker_list));
  EXPECT_FALSE(is_index(k_media_manifest));
  EXPECT_TRUE(is_manifest(k_media_manifest));
  EXPECT_TRUE(is_manifest(k_media_docker_manifest));
  EXPECT_FALSE(is_manifest(k_media_docker_list));
  for (const auto type : {k_media_layer, k_media_layer_gzip, k_media_layer_zstd, k_media_docker_layer})
    EXPECT_TRUE(is_layer(type)) << type;
  EXPECT_FALSE(is_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
  EXPECT_FALSE(is_layer(k_media_config));
  EXPECT_EQ(to_oci_media_type(k_media_docker_layer), k_media_layer_gzip);
  EXPECT_EQ(to_oci_media_type(k_media_docker_config), k_media_config);
  EXPECT_EQ(to_oci_media_type("application/x"), "application/x");
}

}  // namespace
}  // namespace tektii::oci
