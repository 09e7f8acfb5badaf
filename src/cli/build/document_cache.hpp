#pragma once

#include <tektii/registry/client.hpp>
#include <tektii/store/blob_store.hpp>

namespace tektii::cli {

// Keeps manifests and configs of base images among the blobs, which outlive it: a base that did not move costs one
// request, and one that is pinned by digest none.
registry::DocumentCache keep_documents_in(store::BlobStore& blobs);

}  // namespace tektii::cli
