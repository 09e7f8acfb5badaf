#pragma once

#include <tektii/oci/growing_blob.hpp>
#include <tektii/store/blob_store.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace tektii::cli {

// A store that offers each blob to be sent while it is still being written, once it has grown to a size for which that
// is worth it. What it refers to outlives it and the writers.
class StreamedBlobs : public store::BlobStore {
 public:
  using Offer = std::function<void(const std::shared_ptr<oci::GrowingBlob>&)>;
  // `offer` is called by the thread that writes, and must not block.
  StreamedBlobs(store::BlobStore& blobs, Offer offer) : blobs_(blobs), offer_(std::move(offer)) {}

  // Smaller blobs are sealed about as soon as an upload has begun.
  static constexpr std::uint64_t k_least_size = 16U << 20;

  std::optional<std::uint64_t> size_of(const oci::Digest& digest) override { return blobs_.size_of(digest); }
  std::unique_ptr<ByteSource> open(const oci::Digest& digest) override { return blobs_.open(digest); }
  std::unique_ptr<store::BlobWriter> create() override;
  void discard(const oci::Digest& digest) override { blobs_.discard(digest); }

 private:
  store::BlobStore& blobs_;
  Offer offer_;
};

}  // namespace tektii::cli
