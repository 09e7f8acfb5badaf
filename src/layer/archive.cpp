#include "layer/tar_encoder.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <utility>

namespace tektii::layer {

namespace {

std::string blob_name(const oci::Digest& digest) {
  return "blobs/sha256/" + std::string(digest.hex());
}

// "1" of "127.0.0.1:5000/a:1"; empty when the reference has none.
std::string tag_of(const std::string& reference) {
  const std::size_t colon = reference.rfind(':');
  const std::size_t slash = reference.rfind('/');
  if (colon == std::string::npos || (slash != std::string::npos && colon < slash)) return "";
  return reference.substr(colon + 1);
}

// One descriptor per tag. io.containerd.image.name has the whole reference: `docker load` and `ctr import` read it.
std::string index_json(const oci::Descriptor& root, const std::vector<std::string>& tags) {
  oci::Index index;
  index.media_type = oci::k_media_index;
  for (const std::string& tag : tags) {
    oci::Descriptor manifest = root;
    manifest.annotations["io.containerd.image.name"] = tag;
    if (const std::string name = tag_of(tag); !name.empty()) {
      manifest.annotations["org.opencontainers.image.ref.name"] = name;
    }
    index.manifests.push_back(std::move(manifest));
  }
  if (tags.empty()) index.manifests.push_back(root);
  return index.serialise();
}

// What docker's own archive format calls manifest.json; the names in it may be those of OCI blobs.
std::string docker_manifest_json(const oci::SealedImage& image, const std::vector<std::string>& tags) {
  nlohmann::ordered_json entry;
  entry["Config"] = blob_name(image.config.digest);
  entry["RepoTags"] = tags;
  entry["Layers"] = nlohmann::ordered_json::array();
  for (const oci::Layer& layer : image.layers) entry["Layers"].push_back(blob_name(layer.blob.digest));
  return nlohmann::ordered_json::array({std::move(entry)}).dump();
}

class ArchiveWriter {
 public:
  explicit ArchiveWriter(ByteSink& sink) : sink_(sink), encoder_(sink) {}

  void add_directory(const std::string& path) {
    fs::FileMetadata metadata;
    metadata.type = fs::FileType::directory;
    metadata.mode = 0755;
    encoder_.add(path, metadata);
  }

  void add_text(const std::string& path, const std::string& text) {
    begin_file(path, text.size());
    if (!text.empty()) encoder_.write_content(as_byte_span(text));
  }

  void add_blob(const oci::Descriptor& blob, store::BlobStore& blobs) {
    begin_file(blob_name(blob.digest), blob.size);
    const std::unique_ptr<ByteSource> source = blobs.open(blob.digest);
    std::vector<std::byte> buffer(256 * 1024);
    std::size_t n = 0;
    while ((n = source->read(buffer)) != 0 && n <= encoder_.missing_content()) {
      encoder_.write_content(ByteSpan(buffer).first(n));
    }
    if (n != 0 || encoder_.missing_content() != 0) {
      throw Error(ErrorKind::failure, fmt::format("blob {} does not have {} bytes", blob.digest.str(), blob.size));
    }
  }

  void end() {
    encoder_.end();
    sink_.finish();
  }

 private:
  void begin_file(const std::string& path, std::uint64_t size) {
    fs::FileMetadata metadata;
    metadata.mode = 0644;
    metadata.size = size;
    encoder_.add(path, metadata);
  }

  ByteSink& sink_;
  TarEncoder encoder_;
};

void write_members(ByteSink& sink, const oci::SealedImage& image, store::BlobStore& blobs,
                   const std::vector<std::string>& tags, const oci::AttestedImage* attested) {
  ArchiveWriter archive(sink);
  archive.add_directory("blobs");
  archive.add_directory("blobs/sha256");
  // Sorted by digest; a layer that the image has twice is there once.
  std::map<oci::Digest, const oci::Layer*> layers;
  for (const oci::Layer& layer : image.layers) layers.emplace(layer.blob.digest, &layer);
  std::map<oci::Digest, const std::string*> texts;
  texts.emplace(image.config.digest, &image.config_bytes);
  texts.emplace(image.manifest.digest, &image.manifest_bytes);
  if (attested != nullptr) {
    for (const auto& blob : attested->blobs) texts.emplace(blob.descriptor.digest, &blob.bytes);
    texts.emplace(attested->manifest.descriptor.digest, &attested->manifest.bytes);
    texts.emplace(attested->index.descriptor.digest, &attested->index.bytes);
  }
  for (const auto& [digest, text] : texts) archive.add_text(blob_name(digest), *text);
  for (const auto& [digest, layer] : layers) archive.add_blob(layer->blob, blobs);
  archive.add_text("index.json", index_json(attested == nullptr ? image.manifest : attested->index.descriptor, tags));
  archive.add_text("manifest.json", docker_manifest_json(image, tags));
  archive.add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  archive.end();
}

}  // namespace

void write_oci_archive(const std::filesystem::path& file, const oci::SealedImage& image, store::BlobStore& blobs,
                       const std::vector<std::string>& tags, const oci::AttestedImage* attested) {
  const std::filesystem::path temporary =
      file.parent_path() / fmt::format(".{}.{}.tmp", file.filename().string(), ::getpid());
  try {
    FdSink sink(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644), temporary.string());
    write_members(sink, image, blobs, tags, attested);
    if (::rename(temporary.c_str(), file.c_str()) != 0) throw_errno("rename to " + file.string());
  } catch (Error& error) {
    ::unlink(temporary.c_str());
    error.add_context("write " + file.string());
    throw;
  }
}

}  // namespace tektii::layer
