#pragma once

#include <tektii/util/stream.hpp>

#include <memory>
#include <span>

namespace tektii {

enum class Compression { none, gzip, zstd };

struct CompressionOptions {
  Compression type = Compression::gzip;
  int level = 1;         // libdeflate 1..12 for gzip, 1..19 for zstd
  unsigned threads = 0;  // 0: one per core. The output does not depend on it.
};

// A sink that compresses what is written to it and passes the result, in order, to `next`; finish() flushes everything
// and calls next.finish(). gzip output is a sequence of independent members of 1 MiB of input each (RFC 1952 section
// 2.2 allows that), made by libdeflate on several threads; it depends on the input and the level alone. Memory is
// bounded by a few blocks per thread. Errors of worker threads are thrown from write() or finish().
std::unique_ptr<ByteSink> make_compressor(const CompressionOptions& options, ByteSink& next);

// Looks at the first bytes of a file (6 are enough) and tells how it is compressed.
Compression detect_compression(ByteSpan head);

// A source of the decompressed bytes. Accepts gzip of several members; throws Error on truncated or corrupt data, on
// bytes after the end that are neither a new member nor zero padding, and on a zstd window above 128 MiB.
std::unique_ptr<ByteSource> make_decompressor(Compression type, std::unique_ptr<ByteSource> source);

}  // namespace tektii
