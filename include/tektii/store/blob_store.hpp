#pragma once

#include <tektii/oci/descriptor.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace tektii::store {

struct BlobInfo {
  oci::Digest digest;
  std::uint64_t size = 0;
};

// Receives one blob. Destroyed without commit(), it leaves nothing behind.
class BlobWriter : public ByteSink {
 public:
  // Makes the blob visible under its digest, atomically (a temporary file in the store, renamed). With `expected`, a
  // digest or size that differs throws Error{failure} "digest mismatch: expected ..., got ..." and nothing is kept.
  // Another process that committed the same blob first is not an error.
  virtual BlobInfo commit(const std::optional<BlobInfo>& expected) = 0;
  // Opens what was written so far, from the start; the stream also sees what is written later. It may be called while
  // another thread writes, also after commit(), as long as the blob is in the store.
  virtual BlobOpener reader() = 0;
};

// Content-addressed blobs. Safe for several threads and several processes at once.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual std::optional<std::uint64_t> size_of(const oci::Digest& digest) = 0;
  // Throws Error{damaged} when the blob is not there. Its bytes are compared with the digest on the way: a damaged blob
  // is removed, and the read of its last bytes throws Error{damaged}.
  virtual std::unique_ptr<ByteSource> open(const oci::Digest& digest) = 0;
  virtual std::unique_ptr<BlobWriter> create() = 0;
  // Removes a blob that turned out to be damaged; one that is not there is fine, and one that is intact, because
  // another process has healed it, stays.
  virtual void discard(const oci::Digest& digest) = 0;
};

}  // namespace tektii::store
