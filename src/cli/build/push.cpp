#include "push.hpp"

#include "reported_upload.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace tektii::cli {
namespace {

// With a registry that is far away most of the time goes into waiting for answers.
constexpr std::size_t k_parallel_uploads = 10;

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
  const auto open_config = [bytes = result.image.config_bytes] { return std::make_unique<StringSource>(bytes); };
  uploads.push_back({result.image.config, open_config, std::nullopt, open_config});
  if (!result.attested) return uploads;
  for (const auto& blob : result.attested->blobs) uploads.push_back(document_upload(blob));
  return uploads;
}

void put_blobs(const builder::BuildResult& result, store::BlobStore& blobs, const PutBlob& put_blob,
               const std::optional<oci::BlobOrigin>& mount_from, const std::stop_token& stop) {
  auto uploads = uploads_of(result, blobs, stop);
  if (mount_from) {
    for (auto& upload : uploads) upload.origin = mount_from;
  }
  for_each_in_parallel(uploads.size(), k_parallel_uploads, stop,
                       [&](std::size_t i, const std::stop_token&) { put_blob(uploads[i]); });
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

// What could not be pushed where.
class Failures {
 public:
  void add(const oci::ImageReference& reference, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    failures_.emplace_back(reference.str(), std::move(error));
  }
  // Throws the worst, if there is any.
  void report() const {
    if (failures_.empty()) return;
    const auto worst = std::max_element(failures_.begin(), failures_.end(), [](const auto& a, const auto& b) {
      return severity(a.second) < severity(b.second);
    });
    try {
      std::rethrow_exception(worst->second);
    } catch (Error& error) {
      for (const auto& failure : failures_) {
        if (&failure != &*worst)
          error.add_hint(fmt::format("{} was not pushed either: {}", failure.first, text(failure.second)));
      }
      throw;
    }
  }

 private:
  // Damage in the store is mended by the caller; what another attempt may bring is the least of all.
  static int severity(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const Error& error) {
      switch (error.kind()) {
        case ErrorKind::interrupted:
          return 5;
        case ErrorKind::damaged:
          return 4;
        case ErrorKind::denied:
          return 3;
        case ErrorKind::immutable_tag:
          return 1;
        case ErrorKind::network:
          return 0;
        default:
          return 2;
      }
    } catch (...) {
      return 6;
    }
  }
  static std::string text(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  std::mutex mutex_;
  std::vector<std::pair<std::string, std::exception_ptr>> failures_;
};

using References = std::vector<oci::ImageReference>;

// The references in groups that have a key in common, in the order of the first of each.
std::vector<References> grouped(const References& references,
                                const std::function<std::string(const oci::ImageReference&)>& key) {
  std::vector<References> groups;
  for (const auto& reference : references) {
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const References& group) { return key(group.front()) == key(reference); });
    (found == groups.end() ? groups.emplace_back() : *found).push_back(reference);
  }
  return groups;
}

class Pusher {
 public:
  Pusher(const builder::BuildResult& result, const PushTo& to, registry::RegistryClient& client,
         store::BlobStore& blobs, builder::ProgressSink& progress, const std::stop_token& stop)
      : result_(result), to_(to), client_(client), blobs_(blobs), progress_(progress), stop_(stop) {}

  void push_all() {
    const auto registries = grouped(to_.references, [](const auto& reference) { return reference.registry; });
    for_each_in_parallel(registries.size(), registries.size(), stop_,
                         [&](std::size_t i, const std::stop_token&) { push_registry(registries[i]); });
    failures_.report();
  }

 private:
  void push_registry(const References& references) {
    std::optional<oci::BlobOrigin> mount_from;
    for (const auto& tags : grouped(references, [](const auto& reference) { return reference.repository; })) {
      if (push_repository(tags, mount_from) && !mount_from) {
        mount_from = oci::BlobOrigin{tags.front().registry, tags.front().repository};
      }
    }
  }

  // The first tag brings the blobs, unless it has the image; then the others follow side by side. True when the
  // repository has the blobs afterwards.
  bool push_repository(const References& tags, const std::optional<oci::BlobOrigin>& mount_from) {
    bool has_blobs = false;
    const auto failure = push_tag(tags.front(), mount_from, has_blobs);
    if (failure && !has_blobs) {
      // It would fail for each of them in the same way.
      for (const auto& tag : tags) failures_.add(tag, failure);
      return false;
    }
    if (failure) failures_.add(tags.front(), failure);
    for_each_in_parallel(tags.size() - 1, k_parallel_uploads, stop_, [&](std::size_t i, const std::stop_token&) {
      bool known = true;
      if (const auto error = push_tag(tags[i + 1], mount_from, known)) failures_.add(tags[i + 1], error);
    });
    return true;
  }

  // What it failed with, if it did. `has_blobs`: they need not be put any more; set when they need not.
  std::exception_ptr push_tag(const oci::ImageReference& reference, const std::optional<oci::BlobOrigin>& mount_from,
                              bool& has_blobs) {
    try {
      builder::ProgressStep step(progress_, fmt::format("push {}", reference.str()),
                                 [stop = stop_] { return stop.stop_requested(); });
      step.begin(builder::Activity::upload);
      const auto target = client_.target(reference);
      if (!to_.is_new_to(reference) && target->has_manifest(result_.root(), stop_)) {
        step.finish(builder::StepOutcome::cached);
        has_blobs = true;
        return nullptr;
      }
      if (!has_blobs) {
        const auto put_blob = [&](const oci::BlobUpload& upload) {
          // Configs and statements are too small to be shown.
          if (!is_layer_of(result_, upload.blob.digest)) return target->put_blob(upload, stop_);
          put_reported(*target, upload, progress_, stop_);
        };
        put_blobs(result_, blobs_, put_blob, mount_from, stop_);
        push_named_manifests(result_, reference, client_, stop_);
        has_blobs = true;
      }
      put_root(result_, *target, stop_);
      step.finish(builder::StepOutcome::done);
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  const builder::BuildResult& result_;
  const PushTo& to_;
  registry::RegistryClient& client_;
  store::BlobStore& blobs_;
  builder::ProgressSink& progress_;
  const std::stop_token& stop_;
  Failures failures_;
};

}  // namespace

void put_image(const builder::BuildResult& result, oci::ImageTarget& target, store::BlobStore& blobs,
               const std::stop_token& stop) {
  put_blobs(
      result, blobs, [&](const oci::BlobUpload& upload) { target.put_blob(upload, stop); }, std::nullopt, stop);
  // In a layout a manifest that has no name is a blob.
  if (result.attested) {
    target.put_blob(document_upload({result.image.manifest, result.image.manifest_bytes}), stop);
    target.put_blob(document_upload(result.attested->manifest), stop);
  }
  put_root(result, target, stop);
}

void push_image(const builder::BuildResult& result, const PushTo& to, registry::RegistryClient& client,
                store::BlobStore& blobs, builder::ProgressSink& progress, const std::stop_token& stop) {
  Pusher(result, to, client, blobs, progress, stop).push_all();
}

}  // namespace tektii::cli
