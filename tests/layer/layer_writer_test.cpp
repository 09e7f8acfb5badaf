#include "layer/support.hpp"
#include <tektii/layer/layer_writer.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string pseudo_random(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 28U);  // compressible
  }
  return text;
}

WrittenLayer write_sample(store::BlobStore& store, const CompressionOptions& options) {
  LayerWriter writer(store, options);
  EXPECT_TRUE(writer.empty());
  const std::string big = pseudo_random(3U << 20U);
  writer.add("etc", directory_metadata(), {});
  writer.add("etc/group", file_metadata(4), content("g:x\n"));
  writer.add("etc/passwd", file_metadata(7), content("root:x\n"));
  fs::FileMetadata tool = file_metadata(big.size(), 0755);
  tool.uid = 1000;
  tool.gid = 2000;
  tool.xattrs["user.note"] = "a";
  writer.add("opt/tool", tool, content(big));
  writer.add_hard_link("opt/tool-link", "opt/tool");
  writer.add("opt/tool-name", symlink_metadata("tool"), {});
  writer.add_whiteout("opt/was/here", 77);
  EXPECT_FALSE(writer.empty());
  return writer.commit();
}

TEST(LayerWriter, IndexIsWhatReadingTheBlobGives) {
  for (const Compression type : {Compression::none, Compression::gzip, Compression::zstd}) {
    MemoryStore store;
    const WrittenLayer written = write_sample(store, {type, 1, 2});
    EXPECT_EQ(*store.size_of(written.layer.blob.digest), written.layer.blob.size);
    EXPECT_EQ(oci::Digest::of_bytes(uncompressed(store, written.layer)), written.layer.diff_id);
    EXPECT_FALSE(written.layer.origin.has_value());
    const TempDir root;
    Snapshots snapshots(root.path(), store);
    EXPECT_FALSE(snapshots.has_index(written.layer.diff_id));
    const LayerIndex index = snapshots.index(written.layer, {});
    EXPECT_EQ(index.serialise(), written.index.serialise());
    EXPECT_THAT(describe(index), ElementsAre("d 755 0:0 etc", "f 644 0:0 4 etc/group", "f 644 0:0 7 etc/passwd",
                                             "f 755 1000:2000 3145728 opt/tool", "h opt/tool-link => opt/tool",
                                             "l opt/tool-name -> tool", "w opt/was/here"));
    EXPECT_EQ(index.entries[1].content, "g:x\n");
    EXPECT_EQ(index.entries[2].content, "root:x\n");
    EXPECT_EQ(index.entries[3].content, std::nullopt);
  }
}

TEST(LayerWriter, MediaTypeFollowsTheCompression) {
  MemoryStore store;
  EXPECT_EQ(write_sample(store, {Compression::none, 1, 1}).layer.blob.media_type, oci::k_media_layer);
  EXPECT_EQ(write_sample(store, {Compression::gzip, 1, 1}).layer.blob.media_type, oci::k_media_layer_gzip);
  EXPECT_EQ(write_sample(store, {Compression::zstd, 3, 1}).layer.blob.media_type, oci::k_media_layer_zstd);
}

TEST(LayerWriter, BytesDoNotDependOnTheThreads) {
  for (const Compression type : {Compression::gzip, Compression::zstd}) {
    MemoryStore store;
    const WrittenLayer one = write_sample(store, {type, 3, 1});
    for (const unsigned threads : {2U, 3U, 8U, 0U}) {
      EXPECT_EQ(write_sample(store, {type, 3, threads}).layer.blob, one.layer.blob) << threads;
    }
  }
}

TEST(LayerWriter, DiffIdDoesNotDependOnTheCompression) {
  MemoryStore store;
  const oci::Digest diff_id = write_sample(store, {Compression::none, 1, 1}).layer.diff_id;
  EXPECT_EQ(write_sample(store, {Compression::gzip, 6, 2}).layer.diff_id, diff_id);
  EXPECT_EQ(diff_id.str(), "sha256:f9c0046f1d8a2b2915cbebd7a52adb755c01b62f8721ab9081b6e4b4b015761a");
}

TEST(LayerWriter, RefusesWrongInput) {
  struct Case {
    std::function<void(LayerWriter&)> action;
    const char* message;
  };
  const Case cases[] = {
      {[](LayerWriter& w) { w.add("a", file_metadata(3), content("abcd")); }, "a: file changed while it was read"},
      {[](LayerWriter& w) { w.add("a", file_metadata(5), content("abcd")); }, "a: file changed while it was read"},
      {[](LayerWriter& w) { w.add("/a", file_metadata(0), {}); }, "no path for a layer entry"},
      {[](LayerWriter& w) { w.add("./a", file_metadata(0), {}); }, "no path for a layer entry"},
      {[](LayerWriter& w) { w.add("a/", directory_metadata(), {}); }, "no path for a layer entry"},
      {[](LayerWriter& w) { w.add("", directory_metadata(), {}); }, "no path for a layer entry"},
      {[](LayerWriter& w) { w.add("a/../b", file_metadata(0), {}); }, "\"..\""},
      {[](LayerWriter& w) { w.add("a/.wh.b", file_metadata(0), {}); }, "start with \".wh.\""},
      {[](LayerWriter& w) { w.add_whiteout("a/.wh.b", 0); }, "start with \".wh.\""},
      {[](LayerWriter& w) { w.add_hard_link("a", "b"); }, "not in the layer"},
  };
  for (const Case& c : cases) {
    MemoryStore store;
    LayerWriter writer(store, {Compression::gzip, 1, 1});
    EXPECT_THAT(error_of([&] { c.action(writer); }), HasSubstr(c.message));
  }
}

TEST(LayerWriter, AnEmptyLayerIsTheWellKnownOne) {
  MemoryStore store;
  LayerWriter writer(store, {Compression::none, 1, 1});
  const WrittenLayer written = writer.commit();
  // SHA-256 of 1024 zero bytes, the empty layer that every builder makes.
  EXPECT_EQ(written.layer.diff_id.str(), "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
}

TEST(LayerWriter, HashesContentsOnTheWay) {
  MemoryStore store;
  LayerWriter writer(store, {Compression::gzip, 1, 2});
  // Around the blocks of 1 MiB in which the tar is cut, headers of 512 bytes included.
  constexpr std::size_t k_block = 1U << 20U;
  const std::vector<std::size_t> sizes = {0, 1, 511, 3 * k_block, k_block - 512, 0, 2 * k_block + 7, 5};
  std::vector<ContentHash> hashes(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto name = fmt::format("f{}", i);
    writer.add(name, file_metadata(sizes[i]), content(pseudo_random(sizes[i])), &hashes[i]);
    writer.add(name + "-not-asked", file_metadata(3), content("abc"));
  }
  const auto written = writer.commit();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(Sha256::to_hex(hashes[i]), Sha256::hex_of(pseudo_random(sizes[i]))) << sizes[i];
  }
  EXPECT_EQ(oci::Digest::of_bytes(uncompressed(store, written.layer)), written.layer.diff_id);
}

// A blob that can't be written, as on a full disk.
class FullStore : public MemoryStore {
 public:
  std::unique_ptr<store::BlobWriter> create() override {
    class Writer : public store::BlobWriter {
     public:
      void write(ByteSpan) override { throw Error(ErrorKind::failure, "no space left"); }
      store::BlobInfo commit(const std::optional<store::BlobInfo>&) override {
        throw Error(ErrorKind::failure, "committed without its bytes");
      }
      BlobOpener reader() override { return {}; }
    };
    return std::make_unique<Writer>();
  }
};

TEST(LayerWriter, ErrorsOfTheStoreComeThrough) {
  for (const Compression type : {Compression::none, Compression::gzip, Compression::zstd}) {
    FullStore store;
    try {
      LayerWriter writer(store, {type, 1, 2});
      writer.add("big", file_metadata(40U << 20U), content(pseudo_random(40U << 20U)));
      writer.commit();
      ADD_FAILURE() << "the error is lost";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("no space left"));
    }
  }
}

}  // namespace
}  // namespace tektii::layer
