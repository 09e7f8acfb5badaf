#pragma once

#include <tektii/util/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tektii {

enum class Compression { none, gzip, zstd };

// Memory that several compressors take together: layers are made side by side, and a worker of a high level needs up to
// 90 MiB. Thread-safe.
class CompressionBudget {
 public:
  static constexpr std::size_t k_default = std::size_t{192} << 20;
  explicit CompressionBudget(std::size_t bytes = k_default) : left_(static_cast<std::int64_t>(bytes)) {}

  // Takes what `wanted` workers of `each` bytes need, or as many of them as there is room for, but one at least.
  // Returns how many; as many are given back.
  unsigned take(unsigned wanted, std::size_t each);
  void give_back(unsigned workers, std::size_t each);
  std::size_t left() const;

 private:
  mutable std::mutex mutex_;
  std::int64_t left_;
};

struct CompressionOptions {
  Compression type = Compression::gzip;
  int level = 1;  // libdeflate 1..12 for gzip, 1..19 for zstd
  // At most; 0: one per core, and at most 32. Fewer where their memory would go over the budget. The output depends on
  // neither.
  unsigned threads = 0;
  std::shared_ptr<CompressionBudget> budget = nullptr;  // shared with other compressors; without it one has its own
};

// How much of the input is compressed as one piece. Part of the output format: another size gives other bytes for the
// same input.
inline constexpr std::size_t k_compression_block = 1U << 20;

// Bytes that several threads read.
using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

// Compresses a stream that comes in blocks, on threads of its own, and passes the result in order to a sink.
class BlockCompressor {
 public:
  virtual ~BlockCompressor() = default;
  // Every block but the last has k_compression_block bytes. Waits when too many are under way; throws what a thread or
  // the sink threw, then or later.
  virtual void submit(SharedBytes block) = 0;
  // Waits until everything has been written, and ends the sink.
  virtual void finish() = 0;
};

// gzip output is a sequence of independent members of one block each (RFC 1952 section 2.2 allows that), made by
// libdeflate on several threads; a block that would not shrink is stored. zstd output is one frame, made by the library
// on several threads in jobs of a fixed size. Both depend on the input and the level alone. Memory is bounded by a few
// blocks per thread, and those by the budget. `next` is written to by another thread until finish() returns or the
// object is destroyed, which discards what is under way.
std::unique_ptr<BlockCompressor> make_block_compressor(const CompressionOptions& options, ByteSink& next);

// The same for a stream that comes in writes of any size; finish() flushes everything and calls next.finish().
std::unique_ptr<ByteSink> make_compressor(const CompressionOptions& options, ByteSink& next);

// Looks at the first bytes of a file (6 are enough) and tells how it is compressed.
Compression detect_compression(ByteSpan head);

// A source of the decompressed bytes. Accepts gzip of several members; throws Error on truncated or corrupt data, on
// bytes after the end that are neither a new member nor zero padding, and on a zstd window above 128 MiB.
std::unique_ptr<ByteSource> make_decompressor(Compression type, std::unique_ptr<ByteSource> source);

}  // namespace tektii
