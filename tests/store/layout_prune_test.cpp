#include "store/support.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <string>

namespace tektii::store {
namespace {

class LayoutPruneTest : public ::testing::Test {
 protected:
  const std::filesystem::path& root() const { return directory_.path(); }
  std::size_t blobs() const { return count_files(root() / "blobs" / "sha256"); }

  static oci::Descriptor describe(std::string_view type, const std::string& bytes) {
    return {std::string(type), oci::Digest::of_bytes(bytes), bytes.size()};
  }
  static void put(oci::ImageTarget& target, const oci::Descriptor& blob, const std::string& bytes) {
    target.put_blob({blob, [bytes] { return std::make_unique<StringSource>(bytes); }}, {});
  }
  // A manifest with a config and one layer: three blobs.
  oci::Descriptor add(const std::string& layer, const std::string& tag) {
    const auto target = open_layout_target(root(), tag);
    const auto config = describe("application/x", "config of " + layer);
    const auto blob = describe(oci::k_media_layer, layer);
    put(*target, config, "config of " + layer);
    put(*target, blob, layer);
    const auto bytes = oci::Manifest{std::string(oci::k_media_manifest), config, {blob}}.serialise();
    const auto manifest = describe(oci::k_media_manifest, bytes);
    target->put_manifest(manifest, bytes, {});
    return manifest;
  }

  TempDir directory_;
};

TEST_F(LayoutPruneTest, WhatATagHadBeforeGoes) {
  add("one", "latest");
  add("other", "kept");
  EXPECT_EQ(prune_layout(root()), 0U);
  EXPECT_EQ(blobs(), 6U);
  add("two", "latest");
  EXPECT_EQ(blobs(), 9U);
  EXPECT_GT(prune_layout(root()), 0U);
  EXPECT_EQ(blobs(), 6U);
  EXPECT_FALSE(std::filesystem::exists(root() / "blobs/sha256" / oci::Digest::of_bytes("one").hex()));
}

TEST_F(LayoutPruneTest, WhatAnIndexNamesStays) {
  const auto inner = add("one", "");
  const auto text = oci::Index{std::string(oci::k_media_index), {inner}}.serialise();
  put(*open_layout_target(root(), ""), describe(oci::k_media_index, text), text);
  auto entry = describe(oci::k_media_index, text);
  write_file_atomic(root() / "index.json", oci::Index{std::string(oci::k_media_index), {entry}}.serialise());
  EXPECT_EQ(prune_layout(root()), 0U);
  EXPECT_EQ(blobs(), 4U);
}

TEST_F(LayoutPruneTest, NothingGoesWhereSomethingIsNotUnderstood) {
  add("one", "latest");
  add("two", "latest");
  const auto text = oci::Index{std::string(oci::k_media_index), {describe("application/unknown", "?")}}.serialise();
  write_file_atomic(root() / "index.json", text);
  EXPECT_EQ(prune_layout(root()), 0U);
  EXPECT_EQ(blobs(), 6U);
}

TEST_F(LayoutPruneTest, NothingGoesWhileSomebodyWrites) {
  add("one", "latest");
  add("two", "latest");
  {
    const auto writer = open_layout_target(root(), "other");
    EXPECT_EQ(prune_layout(root()), 0U);
  }
  EXPECT_GT(prune_layout(root()), 0U);
  EXPECT_EQ(blobs(), 3U);
}

TEST_F(LayoutPruneTest, WhatAKilledWriterLeftGoes) {
  add("one", "latest");
  write_file_atomic(root() / ".tektii-1-0x1-0", "half");
  write_file_atomic(root() / "notes.txt", "mine");
  EXPECT_EQ(prune_layout(root()), 4U);
  EXPECT_FALSE(std::filesystem::exists(root() / ".tektii-1-0x1-0"));
  EXPECT_TRUE(std::filesystem::exists(root() / "notes.txt"));
}

}  // namespace
}  // namespace tektii::store
