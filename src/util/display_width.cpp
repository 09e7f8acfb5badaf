#include "util/utf8.hpp"
#include "util/width_tables.hpp"
#include <tektii/util/text.hpp>

#include <algorithm>
#include <span>

namespace tektii {

namespace {

bool contains(std::span<const CodePointRange> table, char32_t code_point) {
  const auto it = std::lower_bound(table.begin(), table.end(), code_point,
                                   [](const CodePointRange& range, char32_t value) { return range.last < value; });
  return it != table.end() && it->first <= code_point;
}

std::size_t width_of(char32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0)) return 0;
  if (code_point < 0x300) return 1;
  if (contains(k_zero_width, code_point)) return 0;
  return contains(k_wide, code_point) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [code_point, length] = decode_utf8(text);
    // Terminals show one replacement character for a byte that is not UTF-8.
    width += code_point == k_invalid_utf8 ? 1 : width_of(code_point);
    text.remove_prefix(length);
  }
  return width;
}

}  // namespace tektii
