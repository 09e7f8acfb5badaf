#include "clean_path.hpp"

#include <array>
#include <vector>

namespace tektii::fs {

std::string clean_path(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!absolute) {
      parts.push_back(part);
    }
  }
  std::string cleaned = absolute ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) cleaned += '/';
    cleaned += parts[i];
  }
  return cleaned.empty() ? "." : cleaned;
}

char32_t next_rune(std::string_view text, std::size_t& position) {
  const auto byte_at = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char first = byte_at(position++);
  if (first < 0x80) return first;
  constexpr char32_t k_malformed = 0x110000;  // above every code point
  const std::size_t more = first >= 0xF0 && first < 0xF5   ? 3
                           : first >= 0xE0 && first < 0xF0 ? 2
                           : first >= 0xC2 && first < 0xE0 ? 1
                                                           : 0;
  if (more == 0 || position + more > text.size()) return k_malformed + first;
  char32_t rune = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const unsigned char next = byte_at(position + i);
    if ((next & 0xC0) != 0x80) return k_malformed + first;
    rune = (rune << 6) | (next & 0x3FU);
  }
  constexpr std::array<char32_t, 4> k_smallest{0, 0x80, 0x800, 0x10000};
  if (rune < k_smallest[more] || (rune >= 0xD800 && rune < 0xE000) || rune > 0x10FFFF) return k_malformed + first;
  position += more;
  return rune;
}

}  // namespace tektii::fs
