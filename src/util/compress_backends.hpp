#pragma once

#include <tektii/util/compress.hpp>

#include <memory>

namespace tektii {

// The parts that make_compressor and make_decompressor choose from.
std::unique_ptr<BlockCompressor> make_gzip_compressor(int level, unsigned threads, ByteSink& next);
// On the thread that writes to it, with `threads` of the library's beside.
std::unique_ptr<ByteSink> make_zstd_compressor(int level, unsigned threads, ByteSink& next);
std::unique_ptr<ByteSource> make_gzip_decompressor(std::unique_ptr<ByteSource> source);
std::unique_ptr<ByteSource> make_zstd_decompressor(std::unique_ptr<ByteSource> source);

// Passes blocks on to a sink on a thread of its own.
std::unique_ptr<BlockCompressor> make_serial_compressor(std::unique_ptr<ByteSink> sink);

}  // namespace tektii
