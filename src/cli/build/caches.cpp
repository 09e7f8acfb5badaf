#include "caches.hpp"

#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace tektii::cli {
namespace {

std::unique_ptr<oci::ImageTarget> open_target(const CachePlace& place, registry::RegistryClient& client,
                                              const std::stop_token& stop) {
  if (place.reference) return client.target(*place.reference);
  return store::open_layout_target(place.directory, place.tag, {}, store::ExistingBlobs::verified, stop);
}

// A directory that is kept from one CI job to the next would else grow with each of them.
void drop_what_was_replaced(const CachePlace& place) {
  if (place.reference) return;
  try {
    const auto freed = store::prune_layout(place.directory);
    if (freed > 0) spdlog::info("{} of former caches were removed from {}", format_bytes(freed), place.name());
  } catch (const Error& error) {
    // The cache itself is written.
    spdlog::warn("former caches could not be removed from {}: {}", place.name(), error.what());
  }
}

// The repository of the same registry that has the image's layers by now.
std::optional<oci::BlobOrigin> origin_for(const CachePlace& place, const std::vector<oci::ImageReference>& pushed) {
  if (!place.reference) return std::nullopt;
  const auto found = std::find_if(pushed.begin(), pushed.end(), [&](const auto& reference) {
    return reference.registry == place.reference->registry;
  });
  if (found == pushed.end()) return std::nullopt;
  return oci::BlobOrigin{found->registry, found->repository};
}

}  // namespace

std::vector<builder::CacheSource> open_caches(const std::vector<CachePlace>& places, registry::RegistryClient& client) {
  std::vector<builder::CacheSource> caches;
  for (const auto& place : places) {
    if (place.reference) {
      caches.push_back({place.name(), client.artifact(*place.reference),
                        oci::BlobOrigin{place.reference->registry, place.reference->repository}});
    } else {
      caches.push_back({place.name(), store::open_layout_artifact(place.directory, place.tag), std::nullopt});
    }
  }
  return caches;
}

std::optional<std::string> export_cache(const CacheExportSpec& spec, const builder::BuildResult& result,
                                        const std::vector<oci::ImageReference>& pushed, const CacheExportDeps& deps,
                                        const std::stop_token& stop) {
  builder::ProgressStep step(deps.progress, "exporting cache to " + spec.place.name(),
                             [stop] { return stop.stop_requested(); });
  try {
    auto target = open_target(spec.place, deps.client, stop);
    const builder::CacheExport destination{*target, deps.blobs, result.ensure_blob, origin_for(spec.place, pushed)};
    const auto& records = spec.all_stages ? result.all_steps : result.image_steps;
    const bool sent = builder::export_cache(records, destination, stop);
    target.reset();
    if (sent) drop_what_was_replaced(spec.place);
    step.finish(sent ? builder::StepOutcome::done : builder::StepOutcome::cached);
    return std::nullopt;
  } catch (Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    if (spec.ignore_error) {
      step.finish(builder::StepOutcome::failed);
      return fmt::format("the cache {} was not written: {}", spec.place.name(), error.what());
    }
    error.add_context("export of the cache to " + spec.place.name());
    error.add_hint("with ignore-error=true in --cache-to the build succeeds without its cache");
    throw;
  }
}

}  // namespace tektii::cli
