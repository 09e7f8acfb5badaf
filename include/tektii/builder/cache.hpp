#pragma once

#include <tektii/oci/artifact.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/oci/image.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/blob_store.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

// Caches that travel: what one build knows of its steps, for the next one on another machine. docs/cache-export.md
// describes the format.
namespace tektii::builder {

// Keys are 64 lower-case hex characters.
struct CacheRecords {
  std::map<std::string, std::optional<oci::Layer>> steps;  // by the key of a step what it made: a layer, or nothing
  std::map<std::string, std::string> contents;  // by what a step reads of other stages the key of what is there
};

// The layers that a cache offered and could not give. Thread-safe.
class LostLayers {
 public:
  void add(const oci::Digest& digest) {
    const std::lock_guard lock(mutex_);
    digests_.insert(digest);
  }
  // A cache that has lost several is not trusted with the others either: each would cost one more attempt.
  bool contains(const oci::Digest& digest) const {
    const std::lock_guard lock(mutex_);
    return digests_.size() >= k_too_many || digests_.contains(digest);
  }

 private:
  static constexpr std::size_t k_too_many = 3;

  mutable std::mutex mutex_;
  std::set<oci::Digest> digests_;
};

// A cache that a build may take steps from.
struct CacheSource {
  std::string name;  // as shown: "ghcr.io/a/b:cache", "/srv/cache"
  std::shared_ptr<oci::ArtifactSource> source;
  std::optional<oci::BlobOrigin> origin = std::nullopt;  // where its blobs can be mounted from
  // Steps whose layers are in it are made. Who builds again after Error{damaged} gives the same object again.
  std::shared_ptr<LostLayers> lost = std::make_shared<LostLayers>();
};

// Manifest and config of a cache as an OCI artifact; equal records give equal bytes.
oci::SealedImage seal_cache(const CacheRecords& records);

struct CacheExport {
  oci::ImageTarget& target;
  store::BlobStore& blobs;
  // Brings a layer's blob into the store; called for those that the target lacks.
  std::function<void(const oci::Layer&, const std::stop_token&)> ensure_blob;
  // Where layers of the build may be mounted from, when they come from no other place.
  std::optional<oci::BlobOrigin> origin = std::nullopt;
};

// Sends a cache, its manifest last. False when the target had the same cache already, which takes one look.
bool export_cache(const CacheRecords& records, const CacheExport& destination, const std::stop_token& stop);

}  // namespace tektii::builder
