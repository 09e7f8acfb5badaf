#include "push.hpp"

#include "reported_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

namespace tektii::cli {
namespace {

constexpr std::size_t k_parallel_uploads = 4;

bool is_layer_of(const builder::BuildResult& result, const oci::Digest& blob) {
  const auto& layers = result.image.layers;
  return std::any_of(layers.begin(), layers.end(), [&](const auto& layer) { return layer.blob.digest == blob; });
}

oci::BlobUpload document_upload(const oci::Document& document) {
  return {document.descriptor, [bytes = document.bytes] { return std::make_unique<StringSource>(bytes); }};
}

std::vector<oci::BlobUpload> uploads_of(const builder::BuildResult& result, store::BlobStore& blobs,
                                        const std::stop_token& stop) {
  std::vector<oci::BlobUpload> uploads;
  std::set<oci::Digest> seen;
  for (const auto& layer : result.image.layers) {
    if (seen.insert(layer.blob.digest).second) uploads.push_back(upload_of(layer, result.ensure_blob, blobs, stop));
  }
  uploads.push_back(document_upload({result.image.config, result.image.config_bytes}));
  if (!result.attested) return uploads;
  for (const auto& blob : result.attested->blobs) uploads.push_back(document_upload(blob));
  return uploads;
}

using PutBlob = std::function<void(const oci::BlobUpload& upload)>;

void put_in_parallel(const builder::BuildResult& result, store::BlobStore& blobs, const PutBlob& put_blob,
                     const std::stop_token& stop) {
  const auto uploads = uploads_of(result, blobs, stop);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr first_error;
  const auto work = [&] {
    for (std::size_t i = next++; i < uploads.size(); i = next++) {
      try {
        put_blob(uploads[i]);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first_error) first_error = std::current_exception();
        next = uploads.size();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(k_parallel_uploads, uploads.size()); ++i) threads.emplace_back(work);
    work();
  }
  if (first_error) std::rethrow_exception(first_error);
}

// Sets the tag, once everything that it needs is there.
void put_root(const builder::BuildResult& result, oci::ImageTarget& target, const std::stop_token& stop) {
  if (!result.attested) return target.put_manifest(result.image.manifest, result.image.manifest_bytes, stop);
  target.put_manifest(result.attested->index.descriptor, result.attested->index.bytes, stop);
}

// In a registry, what an index names is pushed by its digest first; what speaks of another manifest, as its referrer.
void push_named_manifests(const builder::BuildResult& result, const oci::ImageReference& reference,
                          registry::RegistryClient& client, const std::stop_token& stop) {
  if (!result.attested) return;
  const auto& attested = *result.attested;
  const auto by_digest = [&](const oci::Digest& digest) {
    return client.target({reference.registry, reference.repository, "", digest});
  };
  by_digest(result.image.manifest.digest)->put_manifest(result.image.manifest, result.image.manifest_bytes, stop);
  const auto& manifest = attested.manifest;
  if (!attested.is_artifact) {
    by_digest(manifest.descriptor.digest)->put_manifest(manifest.descriptor, manifest.bytes, stop);
    return;
  }
  client.push_referrer(
      reference,
      {manifest.descriptor, manifest.bytes, result.image.manifest.digest, std::string(oci::k_attestation_artifact)},
      stop);
}

}  // namespace

void put_image(const builder::BuildResult& result, oci::ImageTarget& target, store::BlobStore& blobs,
               const std::stop_token& stop) {
  put_in_parallel(
      result, blobs, [&](const oci::BlobUpload& upload) { target.put_blob(upload, stop); }, stop);
  // In a layout a manifest that has no name is a blob.
  if (result.attested) {
    target.put_blob(document_upload({result.image.manifest, result.image.manifest_bytes}), stop);
    target.put_blob(document_upload(result.attested->manifest), stop);
  }
  put_root(result, target, stop);
}

void push_image(const builder::BuildResult& result, const PushTo& to, registry::RegistryClient& client,
                store::BlobStore& blobs, builder::ProgressSink& progress, const std::stop_token& stop) {
  std::set<std::string> repositories_done;
  for (const auto& reference : to.references) {
    builder::ProgressStep step(progress, fmt::format("push {}", reference.str()),
                               [stop] { return stop.stop_requested(); });
    step.begin(builder::Activity::upload);
    const auto target = client.target(reference);
    if (!to.is_new_to(reference) && target->has_manifest(result.root(), stop)) {
      step.finish(builder::StepOutcome::cached);
      continue;
    }
    if (repositories_done.insert(reference.repository_str()).second) {
      const auto put_blob = [&](const oci::BlobUpload& upload) {
        // Configs and statements are too small to be shown.
        if (!is_layer_of(result, upload.blob.digest)) return target->put_blob(upload, stop);
        put_reported(*target, upload, progress, stop);
      };
      put_in_parallel(result, blobs, put_blob, stop);
      push_named_manifests(result, reference, client, stop);
    }
    put_root(result, *target, stop);
    step.finish(builder::StepOutcome::done);
  }
}

}  // namespace tektii::cli
