#include "api/json_place.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::api {

namespace {

// The place of a byte; `position` counts from 1 and names the last byte that was read, as nlohmann's parse_error does.
SourceSpan span_at(std::string_view text, std::size_t position, const std::string& file_name) {
  const std::size_t offset = std::min(position == 0 ? 0 : position - 1, text.size());
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::size_t line_end = std::min(text.find('\n', line_start), text.size());
  SourceSpan span;
  span.file = file_name;
  span.first_line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  span.last_line = span.first_line;
  span.column = static_cast<int>(offset - line_start) + 1;
  span.length = 1;
  span.text = text.substr(line_start, line_end - line_start);
  if (!span.text.empty() && span.text.back() == '\r') span.text.pop_back();
  return span;
}

// nlohmann's text is "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ...": the
// part after the place says what is wrong.
std::string reason_of(const nlohmann::json::parse_error& error) {
  const std::string_view text = error.what();
  const std::size_t place = text.find("syntax error ");
  return std::string(place == std::string_view::npos ? text : text.substr(place));
}

}  // namespace

nlohmann::ordered_json parse_json_file(std::string_view text, const std::string& file_name) {
  try {
    return nlohmann::ordered_json::parse(text, nullptr, true, true);
  } catch (const nlohmann::json::parse_error& error) {
    throw Error(ErrorKind::usage, fmt::format("{} is not valid JSON: {}", file_name, reason_of(error)))
        .set_span(span_at(text, error.byte, file_name));
  }
}

}  // namespace tektii::api
