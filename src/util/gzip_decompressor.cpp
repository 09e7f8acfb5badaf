#include "util/compress_backends.hpp"
#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

namespace tektii {

namespace {

constexpr std::size_t k_input_buffer = 128 * 1024;

class GzipDecompressor : public ByteSource {
 public:
  explicit GzipDecompressor(std::unique_ptr<ByteSource> source) : source_(std::move(source)), buffer_(k_input_buffer) {
    // 15 bits of window, +16: gzip and nothing else.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  std::size_t read(std::span<std::byte> out) override {
    if (out.empty()) return 0;
    const auto wanted = std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(wanted);
    while (!ended_ && stream_.avail_out == wanted) {
      if (between_members_ && !begin_member()) break;
      inflate_some();
    }
    return wanted - stream_.avail_out;
  }

 private:
  bool refill() {
    if (stream_.avail_in != 0) return true;
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(source_->read(buffer_));
    return stream_.avail_in != 0;
  }

  // After a member: either the next one begins, or the stream is over (perhaps zero-padded, as on tapes).
  bool begin_member() {
    if (!refill()) {
      ended_ = true;
      return false;
    }
    if (*stream_.next_in == 0) {
      check_padding();
      ended_ = true;
      return false;
    }
    if (*stream_.next_in != 0x1F)
      throw Error(ErrorKind::failure, "corrupt gzip data: unexpected bytes after the end of the stream");
    if (inflateReset(&stream_) != Z_OK) throw Error(ErrorKind::failure, "zlib could not be reset");
    between_members_ = false;
    return true;
  }

  void check_padding() {
    while (refill()) {
      const auto* end = stream_.next_in + stream_.avail_in;
      if (std::any_of(stream_.next_in, const_cast<Bytef*>(end), [](Bytef byte) { return byte != 0; }))
        throw Error(ErrorKind::failure, "corrupt gzip data: unexpected bytes after the end of the stream");
      stream_.avail_in = 0;
    }
  }

  void inflate_some() {
    if (!refill()) throw Error(ErrorKind::failure, "truncated gzip data");
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw Error(ErrorKind::failure,
                  fmt::format("corrupt gzip data: {}", stream_.msg != nullptr ? stream_.msg : "zlib refused it"));
    }
  }

  std::unique_ptr<ByteSource> source_;
  std::vector<std::byte> buffer_;
  z_stream stream_{};
  bool between_members_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> make_gzip_decompressor(std::unique_ptr<ByteSource> source) {
  return std::make_unique<GzipDecompressor>(std::move(source));
}

}  // namespace tektii
