#pragma once

#include <tektii/oci/descriptor.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>

namespace tektii::registry {

// Passes a blob on while counting and hashing it, over several answers of which each brings another part. Throws
// Error{content} as soon as one byte too many arrives, so that a hostile server can't fill a disk.
class BlobVerifier : public ByteSink {
 public:
  BlobVerifier(const oci::Descriptor& blob, ByteSink& next) : blob_(blob), next_(next) {}

  void write(ByteSpan data) override;
  // Bytes that are passed on already and will be repeated by a server that does not know Range. They can't be called
  // back from where they went, and need not be: the digest at the end is that of what was passed on.
  void skip(std::uint64_t bytes) { to_skip_ = bytes; }
  std::uint64_t received() const { return received_; }
  // Throws Error{content} unless size and digest are the descriptor's. The object is used up.
  void verify();

 private:
  const oci::Descriptor& blob_;
  ByteSink& next_;
  Sha256 hash_;
  std::uint64_t received_ = 0;
  std::uint64_t to_skip_ = 0;
};

}  // namespace tektii::registry
