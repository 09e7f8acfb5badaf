#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tektii {

inline constexpr char32_t k_invalid_utf8 = 0xFFFFFFFF;

struct DecodedCodePoint {
  char32_t code_point;  // k_invalid_utf8 when the first byte does not start a well-formed sequence
  std::size_t length;   // bytes to skip; 1 for an invalid one
};

// Decodes the first code point of a non-empty text. Overlong forms, surrogates and values above U+10FFFF are invalid.
inline DecodedCodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {k_invalid_utf8, 1};
  char32_t code_point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {k_invalid_utf8, 1};
    code_point = code_point << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {k_invalid_utf8, 1};
  return {code_point, length};
}

}  // namespace tektii
