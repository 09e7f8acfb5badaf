#pragma once

#include <tektii/builder/byte_meter.hpp>
#include <tektii/store/blob_store.hpp>

#include <memory>

namespace tektii::builder {

// A store of which every blob that is written is the activity write_layer of a step. What it refers to outlives it and
// the writers.
class MeteredBlobs : public store::BlobStore {
 public:
  MeteredBlobs(store::BlobStore& blobs, ProgressSink& progress, int step_id)
      : blobs_(blobs), progress_(progress), step_id_(step_id) {}

  std::optional<std::uint64_t> size_of(const oci::Digest& digest) override { return blobs_.size_of(digest); }
  std::unique_ptr<ByteSource> open(const oci::Digest& digest) override { return blobs_.open(digest); }
  std::unique_ptr<store::BlobWriter> create() override;
  void discard(const oci::Digest& digest) override { blobs_.discard(digest); }

 private:
  store::BlobStore& blobs_;
  ProgressSink& progress_;
  int step_id_;
};

}  // namespace tektii::builder
