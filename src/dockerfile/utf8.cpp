#include "dockerfile/utf8.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace tektii::dockerfile {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array k_letters = {
    Range{U'A', U'Z'},       Range{U'a', U'z'},     Range{0x00AA, 0x00AA}, Range{0x00B5, 0x00B5}, Range{0x00BA, 0x00BA},
    Range{0x00C0, 0x00D6},   Range{0x00D8, 0x00F6}, Range{0x00F8, 0x02C1}, Range{0x0370, 0x0373}, Range{0x0376, 0x0377},
    Range{0x037B, 0x037D},   Range{0x0386, 0x0386}, Range{0x0388, 0x03F5}, Range{0x03F7, 0x0481}, Range{0x048A, 0x0556},
    Range{0x0561, 0x0587},   Range{0x05D0, 0x05EA}, Range{0x0620, 0x064A}, Range{0x066E, 0x066F}, Range{0x0671, 0x06D3},
    Range{0x0904, 0x0939},   Range{0x0985, 0x09B9}, Range{0x0E01, 0x0E30}, Range{0x10A0, 0x10FF}, Range{0x1100, 0x1248},
    Range{0x1E00, 0x1FBC},   Range{0x3041, 0x3096}, Range{0x30A1, 0x30FA}, Range{0x3105, 0x312F}, Range{0x3400, 0x4DBF},
    Range{0x4E00, 0x9FFF},   Range{0xAC00, 0xD7A3}, Range{0xF900, 0xFAD9}, Range{0xFF21, 0xFF3A}, Range{0xFF41, 0xFF5A},
    Range{0x20000, 0x2FA1D},
};

constexpr std::array k_unprintable = {
    Range{0x0000, 0x001F}, Range{0x007F, 0x00A0}, Range{0x00AD, 0x00AD},   Range{0x061C, 0x061C},
    Range{0x1680, 0x1680}, Range{0x180E, 0x180E}, Range{0x2000, 0x200F},   Range{0x2028, 0x202F},
    Range{0x205F, 0x206F}, Range{0x3000, 0x3000}, Range{0xD800, 0xF8FF},   Range{0xFEFF, 0xFEFF},
    Range{0xFFF0, 0xFFFB}, Range{0xFFFE, 0xFFFF}, Range{0xE0000, 0xE0FFF}, Range{0xF0000, 0x10FFFF},
};

bool contains(std::span<const Range> ranges, char32_t code_point) {
  return std::any_of(ranges.begin(), ranges.end(), [code_point](const Range& range) {
    return code_point >= range.first && code_point <= range.last;
  });
}

}  // namespace

CodePoint decode_utf8(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(position);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2, value = lead & 0x1FU, smallest = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3, value = lead & 0x0FU, smallest = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4, value = lead & 0x07U, smallest = 0x10000;
  } else {
    return {lead, 1, false};
  }
  if (position + length > text.size()) return {lead, 1, false};
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned char next = byte(position + i);
    if ((next & 0xC0U) != 0x80U) return {lead, 1, false};
    value = (value << 6U) | (next & 0x3FU);
  }
  if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {lead, 1, false};
  return {value, length, true};
}

bool is_letter(char32_t code_point) {
  return contains(k_letters, code_point);
}

bool is_printable(char32_t code_point) {
  return code_point <= 0x10FFFF && !contains(k_unprintable, code_point);
}

}  // namespace tektii::dockerfile
