#include "layer/support.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArchiveTest : public ::testing::Test {
 protected:
  ArchiveTest() {
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    writer.add("a", file_metadata(1), content("a"));
    const oci::Layer layer = writer.commit().layer;
    image_.config_bytes = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
                          layer.diff_id.str() + R"(",")" + layer.diff_id.str() + R"("]}})";
    image_.config = {std::string(oci::k_media_config), oci::Digest::of_bytes(image_.config_bytes),
                     image_.config_bytes.size()};
    image_.manifest_bytes =
        oci::Manifest{std::string(oci::k_media_manifest), image_.config, {layer.blob, layer.blob}}.serialise();
    image_.manifest = {std::string(oci::k_media_manifest), oci::Digest::of_bytes(image_.manifest_bytes),
                       image_.manifest_bytes.size()};
    image_.layers = {layer, layer};
  }

  oci::Content content_of(const oci::SealedImage& image) {
    oci::Content content;
    content.manifests = {{image.manifest, image.manifest_bytes}};
    content.blobs = {image.config, image.layers[0].blob};
    return content;
  }
  BlobOpener opener(const oci::Descriptor& blob) {
    return [this, blob]() -> std::unique_ptr<ByteSource> {
      if (blob.digest == image_.config.digest) return std::make_unique<StringSource>(image_.config_bytes);
      return store_.open(blob.digest);
    };
  }
  void write(oci::ContentTarget& target, const oci::Content& content) {
    target.begin(content, {});
    for (const auto& blob : content.blobs) target.put_blob({blob, opener(blob)}, {});
    target.finish(content, {});
  }
  void write(const ArchiveOptions& options) { write(*open_archive_target(file(), options), content_of(image_)); }

  std::map<std::string, std::string> read_archive() {
    const std::unique_ptr<ByteSource> source = open_source(file());
    TarReader reader(*source);
    std::map<std::string, std::string> members;
    TarMember member;
    while (reader.next(member)) {
      EXPECT_FALSE(members.contains(member.name)) << "twice: " << member.name;
      std::string& body = members[member.name];
      reader.read_content(
          [&](std::uint64_t, ByteSpan data) { body.append(reinterpret_cast<const char*>(data.data()), data.size()); });
    }
    return members;
  }
  std::filesystem::path file() const { return directory_.path() / "image.tar"; }

  MemoryStore store_;
  TempDir directory_;
  oci::SealedImage image_{{"", oci::Digest::of_bytes(""), 0}, "", {"", oci::Digest::of_bytes(""), 0}, "", {}};
};

TEST_F(ArchiveTest, IsALayoutThatDockerLoadsToo) {
  write({ArchiveFormat::oci, {"127.0.0.1:5000/a:1", "docker.io/library/b"}, {}});
  const std::map<std::string, std::string> members = read_archive();
  const auto blob = [](const oci::Digest& digest) { return "blobs/sha256/" + std::string(digest.hex()); };
  EXPECT_EQ(members.size(), 8U);
  EXPECT_EQ(members.at("oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(members.at(blob(image_.config.digest)), image_.config_bytes);
  EXPECT_EQ(members.at(blob(image_.manifest.digest)), image_.manifest_bytes);
  const oci::Digest& layer = image_.layers[0].blob.digest;
  EXPECT_EQ(members.at(blob(layer)), store_.bytes(layer));

  const auto index = nlohmann::json::parse(members.at("index.json"));
  ASSERT_EQ(index["manifests"].size(), 2U);
  EXPECT_EQ(index["manifests"][0]["digest"], image_.manifest.digest.str());
  EXPECT_EQ(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "1");
  EXPECT_EQ(index["manifests"][0]["annotations"]["io.containerd.image.name"], "127.0.0.1:5000/a:1");
  EXPECT_FALSE(index["manifests"][1]["annotations"].contains("org.opencontainers.image.ref.name"));

  const auto docker = nlohmann::json::parse(members.at("manifest.json"));
  EXPECT_EQ(docker[0]["Config"], blob(image_.config.digest));
  EXPECT_EQ(docker[0]["RepoTags"], (std::vector<std::string>{"127.0.0.1:5000/a:1", "docker.io/library/b"}));
  EXPECT_EQ(docker[0]["Layers"], (std::vector<std::string>{blob(layer), blob(layer)}));
}

TEST_F(ArchiveTest, IsReproducibleAndReplacesTheFile) {
  for (const auto format : {ArchiveFormat::oci, ArchiveFormat::docker}) {
    write({format, {}, "1"});
    const std::string first = read_file(file());
    // The blobs have their places, in whatever order they come.
    const auto content = content_of(image_);
    const auto target = open_archive_target(file(), {format, {}, "1"});
    target->begin(content, {});
    for (const auto i : {1U, 0U}) target->put_blob({content.blobs[i], opener(content.blobs[i])}, {});
    target->finish(content, {});
    EXPECT_EQ(read_file(file()), first);
    StringSink stream;
    write(*open_archive_stream(stream, {format, {}, "1"}, directory_.path()), content);
    EXPECT_EQ(stream.str(), first);
  }
}

TEST_F(ArchiveTest, ADockerArchiveHasTheConfigTheLayersAndTheList) {
  write({ArchiveFormat::docker, {"docker.io/library/a:1"}, {}});
  const auto members = read_archive();
  const std::string config = std::string(image_.config.digest.hex()) + ".json";
  const std::string layer = std::string(image_.layers[0].blob.digest.hex()) + ".tar";
  EXPECT_EQ(members.size(), 3U);
  EXPECT_EQ(members.at(config), image_.config_bytes);
  EXPECT_EQ(members.at(layer), store_.bytes(image_.layers[0].blob.digest));
  const auto list = nlohmann::json::parse(members.at("manifest.json"));
  EXPECT_EQ(list[0]["Config"], config);
  EXPECT_EQ(list[0]["RepoTags"], std::vector<std::string>{"docker.io/library/a:1"});
  EXPECT_EQ(list[0]["Layers"], (std::vector<std::string>{layer, layer}));
}

TEST_F(ArchiveTest, ADockerArchiveHasNoZstd) {
  LayerWriter writer(store_, {Compression::zstd, 1, 1});
  writer.add("a", file_metadata(1), content("a"));
  const oci::Layer layer = writer.commit().layer;
  image_.layers = {layer};
  image_.manifest_bytes = oci::Manifest{std::string(oci::k_media_manifest), image_.config, {layer.blob}}.serialise();
  write({ArchiveFormat::docker, {}, {}});
  const auto members = read_archive();
  const auto& plain = members.at(std::string(layer.blob.digest.hex()) + ".tar");
  EXPECT_EQ(oci::Digest::of_bytes(plain), layer.diff_id);
}

TEST_F(ArchiveTest, FailureLeavesTheOldFileAlone) {
  write_file_atomic(file(), "old");
  for (const std::uint64_t lie : {-1, 1}) {
    auto content = content_of(image_);
    content.blobs[1].size += lie;
    EXPECT_THAT(error_of([&] { write(*open_archive_target(file(), {}), content); }), HasSubstr("does not have"));
  }
  auto content = content_of(image_);
  content.blobs[0].digest = oci::Digest::of_bytes("other");
  const auto target = open_archive_target(file(), {});
  target->begin(content, {});
  EXPECT_THAT(error_of([&] {
                target->put_blob({content.blobs[0], opener(image_.config)}, {});
              }),
              HasSubstr("digest mismatch"));
  EXPECT_EQ(read_file(file()), "old");
}

TEST_F(ArchiveTest, NothingIsLeftBeside) {
  write_file_atomic(file(), "old");
  { const auto target = open_archive_target(file(), {}); }
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path())) ++files;
  EXPECT_EQ(files, 1U);
}

TEST_F(ArchiveTest, AnIndexIsNoDockerArchive) {
  auto content = content_of(image_);
  const auto index = oci::Index{std::string(oci::k_media_index), {image_.manifest}}.serialise();
  content.manifests.push_back({{std::string(oci::k_media_index), oci::Digest::of_bytes(index), index.size()}, index});
  EXPECT_THAT(error_of([&] {
                open_archive_target(file(), {ArchiveFormat::docker, {}, {}})->begin(content, {});
              }),
              HasSubstr("one platform"));
}

TEST_F(ArchiveTest, IsReadBackByteForByte) {
  write({ArchiveFormat::oci, {"docker.io/library/a:1"}, {}});
  const auto source = open_oci_archive(file(), "1", directory_.path(), {});
  const auto top = source->read_top({});
  EXPECT_EQ(top.bytes, image_.manifest_bytes);
  EXPECT_EQ(top.descriptor, image_.manifest);
  StringSink layer;
  source->fetch(image_.layers[0].blob, layer, {});
  EXPECT_EQ(layer.str(), store_.bytes(image_.layers[0].blob.digest));
  EXPECT_EQ(detect_archive(file(), directory_.path(), {}), ArchiveFormat::oci);
  EXPECT_THAT(error_of([&] { open_oci_archive(file(), "2", directory_.path(), {})->read_top({}); }),
              HasSubstr("no image tagged \"2\""));
}

TEST_F(ArchiveTest, ADockerArchiveIsReadWithDigests) {
  write({ArchiveFormat::docker, {"docker.io/library/a:1"}, {}});
  EXPECT_EQ(detect_archive(file(), directory_.path(), {}), ArchiveFormat::docker);
  const auto source = open_docker_archive(file(), "a:1", directory_.path(), {});
  const auto manifest = oci::Manifest::parse(source->read_top({}).bytes);
  EXPECT_EQ(manifest.config.digest, image_.config.digest);
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[1].digest, image_.layers[0].blob.digest);  // gzip stays as it is
  StringSink layer;
  source->fetch(manifest.layers[0], layer, {});
  EXPECT_EQ(layer.str(), store_.bytes(image_.layers[0].blob.digest));
  EXPECT_THAT(error_of([&] { open_docker_archive(file(), "b:1", directory_.path(), {}); }), HasSubstr("no image b:1"));
}

}  // namespace
}  // namespace tektii::layer
