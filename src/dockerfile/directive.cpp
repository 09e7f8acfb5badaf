#include "dockerfile/directive.hpp"

#include "dockerfile/text.hpp"
#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::dockerfile {
namespace {

// \s of a regular expression, which knows no vertical tab.
std::string_view trim_directive(std::string_view text) {
  constexpr std::string_view k_space = " \t\n\f\r";
  const std::size_t first = std::min(text.find_first_not_of(k_space), text.size());
  const std::size_t last = text.find_last_not_of(k_space);
  return last == std::string_view::npos ? std::string_view() : text.substr(first, last + 1 - first);
}

}  // namespace

std::optional<DirectiveLine> parse_directive(std::string_view line, std::string_view mark) {
  if (!line.starts_with(mark)) return std::nullopt;
  line = trim_left(line.substr(mark.size()));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view name = trim_directive(line.substr(0, equals));
  const std::string_view value = trim_directive(line.substr(equals + 1));
  const std::string key = to_lower(name);
  if ((key != "syntax" && key != "escape" && key != "check") || value.empty()) return std::nullopt;
  return DirectiveLine{key, std::string(value)};
}

}  // namespace tektii::dockerfile
