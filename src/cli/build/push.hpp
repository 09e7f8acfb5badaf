#pragma once

#include <tektii/builder/build.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/store/blob_store.hpp>

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::cli {

// Where an image goes.
struct PushTo {
  const std::vector<oci::ImageReference>& references;
  // True when the image is known not to be there yet, so that nobody needs to be asked.
  std::function<bool(const oci::ImageReference& reference)> is_new_to;
};

// Sends an image to every reference, registries side by side: each blob once per registry, to the first of its
// repositories, from which the others mount it; the manifests last. A repository that has the manifest under the tag
// already is asked once and left alone. A registry that fails does not keep the others from being pushed to; the error
// is the worst of all, and its hints tell of the others.
void push_image(const builder::BuildResult& result, const PushTo& to, registry::RegistryClient& client,
                store::BlobStore& blobs, builder::ProgressSink& progress, const std::stop_token& stop);

// Puts an image to any target: blobs in parallel, then the manifest.
void put_image(const builder::BuildResult& result, oci::ImageTarget& target, store::BlobStore& blobs,
               const std::stop_token& stop);

}  // namespace tektii::cli
