#include "dockerfile/lint/suggest.hpp"

#include "dockerfile/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace tektii::dockerfile {
namespace {

constexpr std::size_t k_too_far = 3;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; });
}

std::u32string code_points(std::string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint code_point = decode_utf8(text, i);
    result += code_point.value;
    i += code_point.length;
  }
  return result;
}

// The distance, or anything from k_too_far on. Only cells within that many steps of the diagonal can lead to less.
template <typename Text>
std::size_t distance(const Text& a, const Text& b, std::vector<std::size_t>& row) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= k_too_far) return k_too_far;
  row.resize(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const std::size_t first = i > k_too_far ? i - k_too_far : 1;
    const std::size_t last = std::min(b.size(), i + k_too_far);
    std::size_t diagonal = std::exchange(row[first - 1], first == 1 ? i : k_too_far);
    std::size_t least = row[first - 1];
    for (std::size_t j = first; j <= last; ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
      least = std::min(least, row[j]);
    }
    if (last < b.size()) row[last + 1] = k_too_far;
    if (least >= k_too_far) return k_too_far;
  }
  return row.back();
}

}  // namespace

std::string suggest_name(std::string_view word, std::span<const std::string> candidates) {
  const bool plain = is_ascii(word);
  const std::u32string wanted = code_points(word);
  std::vector<std::size_t> row;
  std::string best;
  std::size_t best_distance = k_too_far;
  for (const std::string& candidate : candidates) {
    // A code point has one byte at least, and this spares decoding most of them.
    if (candidate.empty() || candidate.size() + k_too_far <= wanted.size()) continue;
    const std::size_t edits = plain && is_ascii(candidate) ? distance(word, std::string_view(candidate), row)
                                                           : distance(wanted, code_points(candidate), row);
    if (edits == 0) return {};
    if (edits >= best_distance) continue;
    best = candidate;
    best_distance = edits;
  }
  return best;
}

}  // namespace tektii::dockerfile
