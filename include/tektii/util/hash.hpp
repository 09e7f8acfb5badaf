#pragma once

#include <tektii/util/stream.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tektii {

// Incremental SHA-256 (OpenSSL, uses SHA-NI where the processor has it).
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  Sha256& update(ByteSpan data);
  Sha256& update(std::string_view text) { return update(as_byte_span(text)); }
  // Hashes the length, then the bytes, so that ("ab","c") and ("a","bc") differ. For keys made of several fields.
  Sha256& update_field(std::string_view text);
  // Lower-case hex, 64 characters. The object may not be used afterwards, unless it is reset.
  std::string finish_hex();
  std::array<std::uint8_t, 32> finish_bytes();
  // Begins anew.
  void reset();

  static std::string hex_of(std::string_view text);
  static std::string to_hex(const std::array<std::uint8_t, 32>& bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Passes bytes on to `next` and hashes and counts them on the way.
class HashingSink : public ByteSink {
 public:
  explicit HashingSink(ByteSink& next) : next_(next) {}
  void write(ByteSpan data) override;
  void finish() override { next_.finish(); }
  std::uint64_t size() const { return size_; }
  std::string finish_hex() { return hash_.finish_hex(); }

 private:
  ByteSink& next_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

}  // namespace tektii
