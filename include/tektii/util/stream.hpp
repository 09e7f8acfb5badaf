#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii {

using ByteSpan = std::span<const std::byte>;

inline ByteSpan as_byte_span(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// A stream to read from, once. Errors are thrown as Error.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills at most out.size() bytes and returns how many; 0 is the end. May return fewer than asked.
  virtual std::size_t read(std::span<std::byte> out) = 0;
};

// A stream to write to. finish() is called once, after the last write, by whoever owns the end of the stream; a sink
// destroyed without finish() must discard what it can.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(ByteSpan data) = 0;
  virtual void finish() {}
};

// Opens a fresh stream over the same bytes; every retry of a transfer calls it again.
using BlobOpener = std::function<std::unique_ptr<ByteSource>()>;

// Reads from memory; owns its bytes.
class StringSource : public ByteSource {
 public:
  explicit StringSource(std::string data) : data_(std::move(data)) {}
  std::size_t read(std::span<std::byte> out) override;

 private:
  std::string data_;
  std::size_t position_ = 0;
};

// Collects into memory; throws Error once more than `limit` bytes were written.
class StringSink : public ByteSink {
 public:
  explicit StringSink(std::size_t limit = SIZE_MAX) : limit_(limit) {}
  void write(ByteSpan data) override;
  const std::string& str() const { return data_; }
  std::string take() { return std::move(data_); }

 private:
  std::string data_;
  std::size_t limit_;
};

// Writes everything to both sinks, first then second.
class TeeSink : public ByteSink {
 public:
  TeeSink(ByteSink& first, ByteSink& second) : first_(first), second_(second) {}
  void write(ByteSpan data) override;
  void finish() override;

 private:
  ByteSink& first_;
  ByteSink& second_;
};

// Copies until the end of the source; does not call sink.finish(). Returns the number of bytes. Throws
// Error{interrupted} when a stop is requested.
std::uint64_t copy_stream(ByteSource& source, ByteSink& sink, const std::stop_token& stop = {});

// Reads a whole stream; throws Error when it is longer than `limit` bytes.
std::string read_all(ByteSource& source, std::size_t limit = SIZE_MAX);

// Fills `out` completely unless the source ends first; returns how many bytes were read.
std::size_t read_full(ByteSource& source, std::span<std::byte> out);

}  // namespace tektii
