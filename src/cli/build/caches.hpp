#pragma once

#include "cache_options.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/store/blob_store.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::cli {

// No request is made before the build asks.
std::vector<builder::CacheSource> open_caches(const std::vector<CachePlace>& places, registry::RegistryClient& client);

struct CacheExportDeps {
  registry::RegistryClient& client;
  store::BlobStore& blobs;
  builder::ProgressSink& progress;
};

// Writes one cache. `pushed`: where the image was pushed to before. Where the option says ignore-error=true a failure
// is returned, as a warning.
std::optional<std::string> export_cache(const CacheExportSpec& spec, const builder::BuildResult& result,
                                        const std::vector<oci::ImageReference>& pushed, const CacheExportDeps& deps,
                                        const std::stop_token& stop);

}  // namespace tektii::cli
