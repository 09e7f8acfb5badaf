#pragma once

#include <tektii/oci/ports.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <memory>

namespace tektii::registry {

// The bytes of a blob that is sent in one or several pieces: one stream over it, which is opened anew only to go back.
class BlobContent {
 public:
  explicit BlobContent(const BlobOpener& open) : open_(open) {}

  // Brings the stream to this byte. Opening it may mean to fetch the blob from elsewhere first.
  void seek(std::uint64_t offset);
  // The bytes from `offset` on, `length` of them; valid until the next call of either function.
  std::unique_ptr<ByteSource> slice(std::uint64_t offset, std::uint64_t length);

 private:
  class Slice;

  const BlobOpener& open_;
  std::unique_ptr<ByteSource> source_;
  std::uint64_t position_ = 0;
};

}  // namespace tektii::registry
