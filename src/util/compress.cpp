#include "util/compress_backends.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <thread>

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

std::unique_ptr<ByteSink> make_compressor(const CompressionOptions& options, ByteSink& next) {
  switch (options.type) {
    case Compression::none:
      return std::make_unique<PassThrough>(next);
    case Compression::gzip: {
      check_level("gzip", options.level, 12);
      const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
      return make_gzip_compressor(options.level, options.threads != 0 ? options.threads : cores, next);
    }
    case Compression::zstd:
      check_level("zstd", options.level, 19);
      return make_zstd_compressor(options.level, next);
  }
  throw Error(ErrorKind::failure, "unknown compression");
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
