#include <tektii/util/error.hpp>
#include <tektii/util/go_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii {

std::optional<bool> parse_go_bool(std::string_view text) {
  static constexpr std::array<std::string_view, 6> k_true = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> k_false = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(k_true.begin(), k_true.end(), text) != k_true.end()) return true;
  if (std::find(k_false.begin(), k_false.end(), text) != k_false.end()) return false;
  return std::nullopt;
}

std::vector<std::string> split_csv(std::string_view text, std::string_view what) {
  const auto fail = [&](std::string_view problem) {
    throw Error(ErrorKind::usage, fmt::format("failed to parse {}: {}", what, problem));
  };
  std::vector<std::string> fields;
  for (std::size_t i = 0;; ++i) {
    std::string field;
    if (i < text.size() && text[i] == '"') {
      for (++i;; ++i) {
        if (i >= text.size()) fail("extraneous or missing \" in quoted-field");
        if (text[i] == '"') {
          if (i + 1 == text.size() || text[i + 1] != '"') break;
          ++i;
        }
        field += text[i];
      }
      ++i;
      if (i < text.size() && text[i] != ',') fail("extraneous or missing \" in quoted-field");
    } else {
      const std::size_t end = std::min(text.find(',', i), text.size());
      field = text.substr(i, end - i);
      if (field.find('"') != std::string::npos) fail("bare \" in non-quoted-field");
      i = end;
    }
    fields.push_back(std::move(field));
    if (i >= text.size()) return fields;
  }
}

}  // namespace tektii
