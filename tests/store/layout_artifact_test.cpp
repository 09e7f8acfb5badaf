#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tektii::store {
namespace {

class LayoutArtifactTest : public ::testing::Test {
 protected:
  std::filesystem::path root() const { return directory_.path() / "cache"; }
  std::optional<oci::Artifact> read(const std::string& name) {
    return open_layout_artifact(root(), name)->read({}, {});
  }

  static oci::Descriptor describe(const std::string& type, const std::string& bytes) {
    return {type, oci::Digest::of_bytes(bytes), bytes.size()};
  }

  // An artifact whose config is no image's.
  oci::Descriptor add(const std::string& config, const std::string& tag) {
    const auto target = open_layout_target(root(), tag);
    const auto blob = describe("application/x", config);
    target->put_blob({blob, [config] { return std::make_unique<StringSource>(config); }}, {});
    const auto bytes = oci::Manifest{std::string(oci::k_media_manifest), blob, {}}.serialise();
    const auto manifest = describe(std::string(oci::k_media_manifest), bytes);
    target->put_manifest(manifest, bytes, {});
    return manifest;
  }

  TempDir directory_;
};

TEST_F(LayoutArtifactTest, IsFoundByTagAndByDigest) {
  const auto one = add("one", "latest");
  const auto two = add("two", "other");
  EXPECT_EQ(read("latest")->config_bytes, "one");
  EXPECT_EQ(read("other")->config_bytes, "two");
  EXPECT_EQ(read(one.digest.str())->config_bytes, "one");
  EXPECT_EQ(read(two.digest.str())->manifest.digest, two.digest);
}

TEST_F(LayoutArtifactTest, OnlyOneWithoutATagHasEveryTag) {
  add("one", "");
  EXPECT_EQ(read("latest")->config_bytes, "one");
  EXPECT_FALSE(read("sha256:" + std::string(64, '0')));
  add("two", "other");
  EXPECT_FALSE(read("latest"));
}

TEST_F(LayoutArtifactTest, NothingIsThereBeforeTheFirstExport) {
  EXPECT_FALSE(read("latest"));
  make_directories(root());
  EXPECT_FALSE(read("latest"));
  add("one", "other");
  add("two", "another");
  EXPECT_FALSE(read("latest"));
}

TEST_F(LayoutArtifactTest, WhatIsNoLayoutIsAnError) {
  make_directories(root());
  write_file_atomic(root() / "notes.txt", "mine");
  EXPECT_THROW(read("latest"), Error);
}

TEST_F(LayoutArtifactTest, DamagedRecordsAreAnError) {
  add("one", "latest");
  const auto digest = oci::Digest::of_bytes("one");
  write_file_atomic(root() / "blobs" / "sha256" / digest.hex(), "two");
  EXPECT_THROW(read("latest"), Error);
}

TEST_F(LayoutArtifactTest, BlobOfAnotherSizeIsNotTheBlob) {
  add("one", "latest");
  const auto artifact = open_layout_artifact(root(), "latest");
  EXPECT_TRUE(artifact->has_blob(describe("x", "one"), {}));
  EXPECT_FALSE(artifact->has_blob(describe("x", "two"), {}));
  auto longer = describe("x", "one");
  longer.size = 4;
  EXPECT_FALSE(artifact->has_blob(longer, {}));
  StringSink sink;
  artifact->fetch(describe("x", "one"), sink, {});
  EXPECT_EQ(sink.str(), "one");
}

}  // namespace
}  // namespace tektii::store
