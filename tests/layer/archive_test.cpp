#include "layer/support.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/layer/archive.hpp>
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
    image_.config_bytes = R"({"architecture":"amd64"})";
    image_.manifest_bytes = R"({"schemaVersion":2})";
    image_.config = {"application/vnd.oci.image.config.v1+json", oci::Digest::of_bytes(image_.config_bytes),
                     image_.config_bytes.size()};
    image_.manifest = {std::string(oci::k_media_manifest), oci::Digest::of_bytes(image_.manifest_bytes),
                       image_.manifest_bytes.size()};
    image_.layers = {layer, layer};
  }

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
  write_oci_archive(file(), image_, store_, {"127.0.0.1:5000/a:1", "docker.io/library/b"});
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
  write_oci_archive(file(), image_, store_, {});
  const std::string first = read_file(file());
  write_oci_archive(file(), image_, store_, {});
  EXPECT_EQ(read_file(file()), first);
  const auto index = nlohmann::json::parse(read_archive().at("index.json"));
  EXPECT_EQ(index["manifests"].size(), 1U);
}

TEST_F(ArchiveTest, FailureLeavesTheOldFileAlone) {
  write_file_atomic(file(), "old");
  for (const std::uint64_t lie : {-1, 1}) {
    oci::SealedImage image = image_;
    image.layers[0].blob.size += lie;
    EXPECT_THAT(error_of([&] { write_oci_archive(file(), image, store_, {}); }), HasSubstr("does not have"));
  }
  EXPECT_EQ(read_file(file()), "old");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path())) ++files;
  EXPECT_EQ(files, 1U);
}

}  // namespace
}  // namespace tektii::layer
