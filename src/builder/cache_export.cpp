#include "cache_document.hpp"
#include <tektii/builder/cache.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/parallel.hpp>

#include <set>
#include <utility>
#include <vector>

namespace tektii::builder {
namespace {

constexpr std::size_t k_parallel_uploads = 4;

// What a manifest without layers is to have (image-spec manifest.md, "Guidance for an Empty Descriptor"): there are
// registries that take none with an empty list.
constexpr std::string_view k_media_empty = "application/vnd.oci.empty.v1+json";
constexpr std::string_view k_empty_blob = "{}";

oci::Descriptor describe(std::string_view media_type, std::string_view bytes) {
  return {std::string(media_type), oci::Digest::of_bytes(bytes), bytes.size()};
}

oci::BlobUpload upload_of(oci::Descriptor blob, std::string bytes) {
  return {std::move(blob), [bytes = std::move(bytes)] { return std::make_unique<StringSource>(bytes); }};
}

}  // namespace

oci::SealedImage seal_cache(const CacheRecords& records) {
  oci::SealedImage cache{
      describe(k_media_cache, {}), write_cache_document(records), describe(k_media_empty, {}), {}, layers_of(records)};
  cache.config = describe(k_media_cache, cache.config_bytes);
  oci::Manifest manifest{std::string(oci::k_media_manifest), cache.config, {}};
  std::set<oci::Digest> listed;
  for (const auto& layer : cache.layers) {
    if (listed.insert(layer.blob.digest).second) manifest.layers.push_back(layer.blob);
  }
  if (manifest.layers.empty()) manifest.layers.push_back(describe(k_media_empty, k_empty_blob));
  cache.manifest_bytes = manifest.serialise();
  cache.manifest = describe(oci::k_media_manifest, cache.manifest_bytes);
  return cache;
}

bool export_cache(const CacheRecords& records, const CacheExport& destination, const std::stop_token& stop) {
  const auto cache = seal_cache(records);
  auto& target = destination.target;
  if (target.has_manifest(cache.manifest, stop)) return false;
  std::vector<oci::BlobUpload> uploads;
  for (const auto& layer : cache.layers) {
    const auto open = [&destination, layer, stop] {
      destination.ensure_blob(layer, stop);
      return destination.blobs.open(layer.blob.digest);
    };
    uploads.push_back({layer.blob, open, layer.origin ? layer.origin : destination.origin});
  }
  if (uploads.empty()) uploads.push_back(upload_of(describe(k_media_empty, k_empty_blob), std::string(k_empty_blob)));
  uploads.push_back(upload_of(cache.config, cache.config_bytes));
  for_each_in_parallel(uploads.size(), k_parallel_uploads, stop,
                       [&](std::size_t i, const std::stop_token& token) { target.put_blob(uploads[i], token); });
  target.put_manifest(cache.manifest, cache.manifest_bytes, stop);
  return true;
}

}  // namespace tektii::builder
