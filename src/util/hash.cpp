#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <openssl/evp.h>

#include <array>
#include <cstdint>

namespace tektii {

struct Sha256::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* owned) const { EVP_MD_CTX_free(owned); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  if (!impl_->context || EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) != 1)
    throw Error(ErrorKind::failure, "can't set up SHA-256");
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

Sha256& Sha256::update(ByteSpan data) {
  if (EVP_DigestUpdate(impl_->context.get(), data.data(), data.size()) != 1)
    throw Error(ErrorKind::failure, "SHA-256 failed");
  return *this;
}

Sha256& Sha256::update_field(std::string_view text) {
  // Little endian on every machine: the length is part of cache keys that may be shared.
  std::array<std::byte, 8> length{};
  std::uint64_t rest = text.size();
  for (auto& byte : length) {
    byte = static_cast<std::byte>(rest & 0xFFU);
    rest >>= 8U;
  }
  return update(ByteSpan(length)).update(text);
}

std::array<std::uint8_t, 32> Sha256::finish_bytes() {
  std::array<std::uint8_t, 32> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(impl_->context.get(), digest.data(), &size) != 1 || size != digest.size())
    throw Error(ErrorKind::failure, "SHA-256 failed");
  return digest;
}

std::string Sha256::finish_hex() {
  return to_hex(finish_bytes());
}

void Sha256::reset() {
  // Without a type the context keeps the one it has, which spares the look-up.
  if (EVP_DigestInit_ex(impl_->context.get(), nullptr, nullptr) != 1)
    throw Error(ErrorKind::failure, "can't set up SHA-256");
}

std::string Sha256::to_hex(const std::array<std::uint8_t, 32>& bytes) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    hex += k_digits[byte >> 4U];
    hex += k_digits[byte & 15U];
  }
  return hex;
}

std::string Sha256::hex_of(std::string_view text) {
  return Sha256().update(text).finish_hex();
}

void HashingSink::write(ByteSpan data) {
  hash_.update(data);
  size_ += data.size();
  next_.write(data);
}

}  // namespace tektii
