#include "util/compress_backends.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <thread>
#include <utility>
#include <vector>

namespace tektii {

namespace {

class PassThrough : public ByteSink {
 public:
  explicit PassThrough(ByteSink& next) : next_(next) {}
  void write(ByteSpan data) override { next_.write(data); }
  void finish() override { next_.finish(); }

 private:
  ByteSink& next_;
};

// Cuts a stream into blocks.
class Blocks : public ByteSink {
 public:
  explicit Blocks(std::unique_ptr<BlockCompressor> next) : next_(std::move(next)) {}

  void write(ByteSpan data) override {
    while (!data.empty()) {
      if (!block_) {
        block_ = std::make_shared<std::vector<std::byte>>();
        block_->reserve(k_compression_block);
      }
      const std::size_t count = std::min(data.size(), k_compression_block - block_->size());
      block_->insert(block_->end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
      data = data.subspan(count);
      if (block_->size() == k_compression_block) next_->submit(std::exchange(block_, nullptr));
    }
  }

  void finish() override {
    if (block_) next_->submit(std::move(block_));
    next_->finish();
  }

 private:
  std::unique_ptr<BlockCompressor> next_;
  std::shared_ptr<std::vector<std::byte>> block_;
};

unsigned thread_count(const CompressionOptions& options) {
  constexpr unsigned k_most_threads = 32;  // each has some blocks of memory
  return std::clamp(options.threads != 0 ? options.threads : std::thread::hardware_concurrency(), 1U, k_most_threads);
}

void check_level(std::string_view name, int level, int highest) {
  if (level < 1 || level > highest)
    throw Error(ErrorKind::usage, fmt::format("{} has levels 1 to {}, not {}", name, highest, level));
}

bool starts_with(ByteSpan head, std::initializer_list<unsigned> magic) {
  if (head.size() < magic.size()) return false;
  std::size_t i = 0;
  for (const auto byte : magic) {
    if (std::to_integer<unsigned>(head[i++]) != byte) return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<BlockCompressor> make_block_compressor(const CompressionOptions& options, ByteSink& next) {
  const unsigned threads = thread_count(options);
  switch (options.type) {
    case Compression::none:
      return make_serial_compressor(std::make_unique<PassThrough>(next));
    case Compression::gzip:
      check_level("gzip", options.level, 12);
      return make_gzip_compressor(options.level, threads, next);
    case Compression::zstd:
      check_level("zstd", options.level, 19);
      return make_serial_compressor(make_zstd_compressor(options.level, threads, next));
  }
  throw Error(ErrorKind::failure, "unknown compression");
}

std::unique_ptr<ByteSink> make_compressor(const CompressionOptions& options, ByteSink& next) {
  return std::make_unique<Blocks>(make_block_compressor(options, next));
}

Compression detect_compression(ByteSpan head) {
  if (starts_with(head, {0x1F, 0x8B, 0x08})) return Compression::gzip;
  if (starts_with(head, {0x28, 0xB5, 0x2F, 0xFD})) return Compression::zstd;
  // A zstd stream may begin with a skippable frame: magic 0x184D2A50 to 0x184D2A5F (RFC 8878 section 3.1.2).
  if (head.size() >= 4 && (std::to_integer<unsigned>(head[0]) & 0xF0U) == 0x50U &&
      starts_with(head.subspan(1), {0x2A, 0x4D, 0x18}))
    return Compression::zstd;
  return Compression::none;
}

std::unique_ptr<ByteSource> make_decompressor(Compression type, std::unique_ptr<ByteSource> source) {
  switch (type) {
    case Compression::none:
      return source;
    case Compression::gzip:
      return make_gzip_decompressor(std::move(source));
    case Compression::zstd:
      return make_zstd_decompressor(std::move(source));
  }
  throw Error(ErrorKind::failure, "unknown compression");
}

}  // namespace tektii
