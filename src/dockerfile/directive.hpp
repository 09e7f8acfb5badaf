#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

inline constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

struct DirectiveLine {
  std::string key;  // lower case
  std::string value;
};

// ^MARK\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$, when the key is one that exists: syntax, escape or check.
std::optional<DirectiveLine> parse_directive(std::string_view line, std::string_view mark = "#");

}  // namespace tektii::dockerfile
