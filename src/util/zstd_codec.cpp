#include "util/compress_backends.hpp"
#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <new>
#include <vector>

namespace tektii {

namespace {

// 128 MiB, the largest window the zstd tool makes without --long; more is a way to exhaust the reader's memory.
constexpr int k_window_log_max = 27;

// What one thread compresses at a time. Part of the output format: another size gives other bytes for the same input.
constexpr int k_job_size = 4 << 20;

std::size_t check(std::size_t result, std::string_view what) {
  if (ZSTD_isError(result) != 0U)
    throw Error(ErrorKind::failure, fmt::format("{}: {}", what, ZSTD_getErrorName(result)));
  return result;
}

class ZstdCompressor : public ByteSink {
 public:
  // The library cuts the input into jobs, which do not depend on how many threads work on them, except that there is
  // one at least.
  ZstdCompressor(int level, unsigned threads, ByteSink& next)
      : next_(next), context_(ZSTD_createCCtx()), out_(ZSTD_CStreamOutSize()) {
    if (!context_) throw std::bad_alloc();
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level), "zstd level");
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1), "zstd checksum");
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, static_cast<int>(threads)), "zstd threads");
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_jobSize, k_job_size), "zstd job size");
    block_.reserve(ZSTD_CStreamInSize());
  }

  // The library gets blocks of one size whatever the sizes of the writes, so that the output depends on the input
  // alone.
  void write(ByteSpan data) override {
    while (!data.empty()) {
      const auto count = std::min(data.size(), ZSTD_CStreamInSize() - block_.size());
      block_.insert(block_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
      data = data.subspan(count);
      if (block_.size() == ZSTD_CStreamInSize()) feed(ZSTD_e_continue);
    }
  }

  void finish() override {
    if (!block_.empty()) feed(ZSTD_e_continue);
    feed(ZSTD_e_end);
    next_.finish();
  }

 private:
  void feed(ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{block_.data(), block_.size(), 0};
    for (bool complete = false; !complete;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const auto left = check(ZSTD_compressStream2(context_.get(), &out, &in, directive), "zstd compression");
      if (out.pos != 0) next_.write(ByteSpan(out_.data(), out.pos));
      complete = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    block_.clear();
  }

  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  ByteSink& next_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::vector<std::byte> block_;
  std::vector<std::byte> out_;
};

class ZstdDecompressor : public ByteSource {
 public:
  explicit ZstdDecompressor(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), context_(ZSTD_createDCtx()), buffer_(ZSTD_DStreamInSize()) {
    if (!context_) throw std::bad_alloc();
    check(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, k_window_log_max), "zstd window");
  }

  std::size_t read(std::span<std::byte> out) override {
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    while (!ended_ && target.pos == 0 && target.size != 0) {
      // A full output buffer can leave decoded bytes inside the context; only an input that is used up needs more.
      if (in_.pos == in_.size && !flushing_ && !refill()) {
        if (!frame_complete_) throw Error(ErrorKind::failure, "truncated zstd data");
        ended_ = true;
        break;
      }
      if (any_frame_ && frame_complete_ && next_byte() == 0) {
        check_padding();
        ended_ = true;
        break;
      }
      any_frame_ = true;
      const auto hint = check(ZSTD_decompressStream(context_.get(), &target, &in_), "corrupt zstd data");
      frame_complete_ = hint == 0;
      flushing_ = !frame_complete_ && target.pos == target.size;
    }
    return target.pos;
  }

 private:
  bool refill() {
    const auto count = source_->read(buffer_);
    in_ = ZSTD_inBuffer{buffer_.data(), count, 0};
    return count != 0;
  }

  unsigned next_byte() const { return std::to_integer<unsigned>(buffer_[in_.pos]); }

  void check_padding() {
    do {
      const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(in_.pos);
      const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(in_.size);
      if (std::any_of(begin, end, [](std::byte byte) { return byte != std::byte{0}; }))
        throw Error(ErrorKind::failure, "corrupt zstd data: unexpected bytes after the end of the stream");
    } while (refill());
  }

  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  std::vector<std::byte> buffer_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool any_frame_ = false;
  bool frame_complete_ = false;
  bool flushing_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteSink> make_zstd_compressor(int level, unsigned threads, ByteSink& next) {
  return std::make_unique<ZstdCompressor>(level, threads, next);
}

std::unique_ptr<ByteSource> make_zstd_decompressor(std::unique_ptr<ByteSource> source) {
  return std::make_unique<ZstdDecompressor>(std::move(source));
}

}  // namespace tektii
