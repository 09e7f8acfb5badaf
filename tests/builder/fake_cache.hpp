#pragma once

#include <tektii/builder/cache.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/util/error.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tektii::builder {

// A place in memory that holds blobs and one manifest; counts what it is asked for.
class FakeCache : public oci::ImageTarget, public oci::ArtifactSource {
 public:
  bool has_manifest(const oci::Descriptor& manifest, std::stop_token) override {
    ++looks;
    return stored && stored->digest == manifest.digest;
  }
  void put_blob(const oci::BlobUpload& upload, std::stop_token) override {
    auto content = read_all(*upload.open());
    const std::lock_guard lock(mutex_);
    ++puts;
    blobs[upload.blob.digest] = std::move(content);
  }
  void put_manifest(const oci::Descriptor& manifest, const std::string& bytes, std::stop_token) override {
    stored = manifest;
    manifest_bytes = bytes;
  }

  std::optional<oci::Artifact> read(const oci::Platform&, std::stop_token) override {
    if (unreachable) throw Error(ErrorKind::network, "cannot connect");
    if (!stored) return std::nullopt;
    if (stored->media_type.find("index") != std::string::npos) return oci::Artifact{*stored, manifest_bytes, {}};
    return oci::Artifact{*stored, manifest_bytes, blobs.at(oci::Manifest::parse(manifest_bytes).config.digest)};
  }
  bool has_blob(const oci::Descriptor& blob, std::stop_token) override {
    ++asked;
    if (breaks_when_asked) throw Error(ErrorKind::network, "connection reset");
    const std::lock_guard lock(mutex_);
    return blobs.contains(blob.digest);
  }
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token) override {
    ++fetches;
    if (breaks_when_fetched) throw Error(ErrorKind::failure, "digest mismatch");
    const std::lock_guard lock(mutex_);
    sink.write(as_byte_span(blobs.at(blob.digest)));
  }

  // Stands for an image or a foreign cache.
  void store_manifest(const std::string& media_type, const std::string& config_type, const std::string& config) {
    const oci::Descriptor config_blob{config_type, oci::Digest::of_bytes(config), config.size()};
    blobs[config_blob.digest] = config;
    manifest_bytes = oci::Manifest{media_type, config_blob, {}}.serialise();
    stored = oci::Descriptor{media_type, oci::Digest::of_bytes(manifest_bytes), manifest_bytes.size()};
  }

  std::map<oci::Digest, std::string> blobs;
  std::optional<oci::Descriptor> stored;
  std::string manifest_bytes;
  bool unreachable = false;
  bool breaks_when_asked = false;
  bool breaks_when_fetched = false;
  std::atomic<int> looks = 0;
  std::atomic<int> puts = 0;
  std::atomic<int> asked = 0;
  std::atomic<int> fetches = 0;

 private:
  std::mutex mutex_;
};

}  // namespace tektii::builder
