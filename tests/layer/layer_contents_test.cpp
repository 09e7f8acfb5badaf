#include "layer/support.hpp"
#include <tektii/layer/layer_contents.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class LayerContentsTest : public ::testing::Test {
 protected:
  std::string read(const oci::Layer& layer, const std::string& path) { return read_all(*contents_.open(layer, path)); }

  MemoryStore store_;
  TempDir root_;
  Snapshots snapshots_{root_.path(), store_};
  int passes_ = 0;
  LayerContents contents_{snapshots_,
                          [this](const oci::Layer& layer, const auto& read) {
                            ++passes_;
                            read([&] { return store_.open(layer.blob.digest); });
                          },
                          {}};
};

TEST_F(LayerContentsTest, WhatIsWantedIsReadInOnePassInAnyOrder) {
  LayerWriter writer(store_, {Compression::gzip, 1, 1});
  const std::string big(3U << 20U, 'b');
  writer.add("a", file_metadata(5), content("first"));
  writer.add("b", file_metadata(big.size()), content(big));
  writer.add("c", file_metadata(0), content(""));
  writer.add("d", file_metadata(4), content("last"));
  const oci::Layer layer = writer.commit().layer;
  for (const char* path : {"d", "c", "a", "b"}) contents_.want(layer, path);
  EXPECT_EQ(passes_, 0);
  EXPECT_EQ(read(layer, "d"), "last");
  EXPECT_EQ(read(layer, "b"), big);
  EXPECT_EQ(read(layer, "a"), "first");
  EXPECT_EQ(read(layer, "c"), "");
  EXPECT_EQ(read(layer, "a"), "first");
  EXPECT_EQ(passes_, 1);
  EXPECT_EQ(store_.opened(), 1U);
  EXPECT_FALSE(snapshots_.has_directory(layer.diff_id));
  EXPECT_TRUE(std::filesystem::is_empty(root_.path() / "tmp"));
}

TEST_F(LayerContentsTest, WhatWasNotSaidCostsAPass) {
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "a", .body = "1"}, {.name = "b", .body = "2"}}));
  EXPECT_EQ(read(layer, "a"), "1");
  EXPECT_EQ(read(layer, "b"), "2");
  EXPECT_EQ(read(layer, "a"), "1");
  EXPECT_EQ(passes_, 2);
}

TEST_F(LayerContentsTest, TheLastMemberOfANameCounts) {
  const oci::Layer layer =
      add_layer(store_, raw_tar({{.name = "./a", .body = "old and long"}, {.name = "a", .body = "new"}}));
  EXPECT_EQ(read(layer, "a"), "new");
}

TEST_F(LayerContentsTest, OnlyRegularFilesHaveContents) {
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "l", .type = '2', .link = "x"},
                                                      {.name = "d", .type = '5'},
                                                      {.name = ".wh.w", .body = ""},
                                                      {.name = "x", .body = "x"}}));
  for (const char* path : {"l", "d", "w", ".wh.w", "missing"}) {
    EXPECT_THAT(error_of([&] { read(layer, path); }), HasSubstr("has no regular file")) << path;
  }
  EXPECT_EQ(read(layer, "x"), "x");
}

TEST_F(LayerContentsTest, NothingOfADamagedLayerIsHandedOut) {
  oci::Layer layer = add_layer(store_, raw_tar({{.name = "a", .body = "content"}, {.name = "b", .body = "more"}}));
  layer.diff_id = oci::Digest::of_bytes("other");
  EXPECT_THAT(error_of([&] { read(layer, "a"); }), HasSubstr("does not match its diff_id"));
  EXPECT_THROW(read(layer, "a"), Error);
}

TEST_F(LayerContentsTest, AContentOutlivesTheReader) {
  const oci::Layer layer = add_layer(store_, raw_tar({{.name = "a", .body = "content"}}));
  std::unique_ptr<ByteSource> source;
  {
    LayerContents other(
        snapshots_, [&](const oci::Layer&, const auto& read) { read([&] { return store_.open(layer.blob.digest); }); },
        {});
    source = other.open(layer, "a");
  }
  EXPECT_EQ(read_all(*source), "content");
}

}  // namespace
}  // namespace tektii::layer
