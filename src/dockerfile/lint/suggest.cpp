#include "dockerfile/lint/suggest.hpp"

#include "dockerfile/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace tektii::dockerfile {
namespace {

constexpr std::size_t k_too_far = 3;

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> result;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint code_point = decode_utf8(text, i);
    result.push_back(code_point.value);
    i += code_point.length;
  }
  return result;
}

std::size_t distance(std::string_view first, std::string_view second) {
  const auto a = code_points(first);
  const auto b = code_points(second);
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= k_too_far) return k_too_far;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string suggest_name(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = k_too_far;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits == 0) return {};
    if (edits >= best_distance) continue;
    best = candidate;
    best_distance = edits;
  }
  return best;
}

}  // namespace tektii::dockerfile
