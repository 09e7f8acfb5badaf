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

// With a registry that is far away most of the time goes into waiting for answers.
constexpr std::size_t k_parallel_uploads = 10;

std::vector<oci::BlobUpload> uploads_of(const builder::BuildResult& result, store::BlobStore& blobs,
                                        const std::stop_token& stop) {
  std::vector<oci::BlobUpload> uploads;
  std::set<oci::Digest> seen;
  for (const auto& layer : result.image.layers) {
    if (seen.insert(layer.blob.digest).second) uploads.push_back(upload_of(layer, result.ensure_blob, blobs, stop));
  }
  const auto open_config = [bytes = result.image.config_bytes] { return std::make_unique<StringSource>(bytes); };
  uploads.push_back({result.image.config, open_config, std::nullopt, open_config});
  return uploads;
}

void put_in_parallel(const builder::BuildResult& result, oci::ImageTarget& target, store::BlobStore& blobs,
                     const PutBlob& put_blob, const std::stop_token& stop) {
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
  target.put_manifest(result.image.manifest, result.image.manifest_bytes, stop);
}

}  // namespace

void put_image(const builder::BuildResult& result, oci::ImageTarget& target, store::BlobStore& blobs,
               const std::stop_token& stop) {
  put_in_parallel(
      result, target, blobs, [&](const oci::BlobUpload& upload) { target.put_blob(upload, stop); }, stop);
}

void push_image(const builder::BuildResult& result, const PushTo& to, registry::RegistryClient& client,
                store::BlobStore& blobs, builder::ProgressSink& progress, const std::stop_token& stop) {
  std::set<std::string> repositories_done;
  for (const auto& reference : to.references) {
    builder::ProgressStep step(progress, fmt::format("push {}", reference.str()),
                               [stop] { return stop.stop_requested(); });
    step.begin(builder::Activity::upload);
    const auto target = client.target(reference);
    if (!to.is_new_to(reference) && target->has_manifest(result.image.manifest, stop)) {
      step.finish(builder::StepOutcome::cached);
      continue;
    }
    if (repositories_done.insert(reference.repository_str()).second) {
      const auto put_blob = [&](const oci::BlobUpload& upload) {
        // The config is too small to be shown.
        if (upload.blob.digest == result.image.config.digest) return target->put_blob(upload, stop);
        put_reported(*target, upload, progress, stop);
      };
      put_in_parallel(result, *target, blobs, put_blob, stop);
    } else {
      target->put_manifest(result.image.manifest, result.image.manifest_bytes, stop);
    }
    step.finish(builder::StepOutcome::done);
  }
}

}  // namespace tektii::cli
