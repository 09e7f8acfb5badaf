#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tektii::dockerfile {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // bytes; 1 for a byte that is not UTF-8
  bool valid = false;
};

// Decodes the code point at `position` (which must be inside `text`); overlong forms and surrogates are not valid.
CodePoint decode_utf8(std::string_view text, std::size_t position);

// Whether the byte starts a code point (it is not a continuation byte).
inline bool starts_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

// unicode.IsLetter, unicode.IsDigit and unicode.IsSpace of Go, which the reference implementation asks.
bool is_letter(char32_t code_point);
bool is_decimal_digit(char32_t code_point);
bool is_white_space(char32_t code_point);

// Whether Go prints the code point as it is in %q (strconv.IsPrint): no controls, no format characters, no white space
// but the blank.
bool is_printable(char32_t code_point);

}  // namespace tektii::dockerfile
