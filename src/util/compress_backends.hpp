#pragma once

#include <tektii/util/compress.hpp>

#include <memory>

namespace tektii {

// The parts that make_compressor and make_decompressor choose from.
std::unique_ptr<ByteSink> make_gzip_compressor(int level, unsigned threads, ByteSink& next);
std::unique_ptr<ByteSink> make_zstd_compressor(int level, ByteSink& next);
std::unique_ptr<ByteSource> make_gzip_decompressor(std::unique_ptr<ByteSource> source);
std::unique_ptr<ByteSource> make_zstd_decompressor(std::unique_ptr<ByteSource> source);

}  // namespace tektii
