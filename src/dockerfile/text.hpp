#pragma once

#include "dockerfile/utf8.hpp"

#include <cstddef>
#include <string_view>

namespace tektii::dockerfile {

inline bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Bytes of the white space of any script at `position`; 0 when something else is there.
inline std::size_t white_space_at(std::string_view text, std::size_t position) {
  const CodePoint code_point = decode_utf8(text, position);
  return code_point.valid && is_white_space(code_point.value) ? code_point.length : 0;
}

// Without the white space of any script at the front or at both ends: a no-break space that was pasted is one, too.
inline std::string_view trim_left(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = white_space_at(text, 0);
    if (length == 0) break;
    text.remove_prefix(length);
  }
  return text;
}
inline std::string_view trim_both(std::string_view text) {
  text = trim_left(text);
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && !starts_code_point(text[start])) --start;
    const std::size_t length = white_space_at(text, start);
    if (length == 0 || start + length != text.size()) break;
    text.remove_suffix(length);
  }
  return text;
}

}  // namespace tektii::dockerfile
