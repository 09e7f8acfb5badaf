#include <tektii/oci/digest.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::oci {

namespace {

constexpr std::string_view k_prefix = "sha256:";

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Shortened, because the text may be megabytes that a server sent.
std::string quoted(std::string_view text) {
  constexpr std::size_t k_shown = 100;
  return fmt::format("\"{}{}\"", escape_control(text.substr(0, k_shown)), text.size() > k_shown ? "..." : "");
}

}  // namespace

bool Digest::is_valid(std::string_view text) {
  return text.starts_with(k_prefix) && is_sha256_hex(text.substr(k_prefix.size()));
}

Digest Digest::parse(std::string_view text) {
  if (is_valid(text)) return Digest(std::string(text));
  std::string_view reason = "expected \"sha256:\" and 64 lower-case hex characters";
  if (text.starts_with("sha512:") || text.starts_with("blake3:")) reason = "only sha256 is supported";
  throw Error(ErrorKind::failure, fmt::format("invalid digest {}: {}", quoted(text), reason));
}

Digest Digest::of_hex(std::string_view sha256_hex) {
  return parse(std::string(k_prefix) + std::string(sha256_hex));
}

Digest Digest::of_bytes(std::string_view content) {
  return of_hex(Sha256::hex_of(content));
}

}  // namespace tektii::oci
