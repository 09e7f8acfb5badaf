#include "cli/render_error.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace tektii::cli {

namespace {

// As it is shown: a tab has no width of its own, so the caret could not be put under what follows it.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : escape_control(text)) {
    if (c == '\t') {
      out += "    ";
    } else {
      out += c;
    }
  }
  return out;
}

std::string place_of(const SourceSpan& span) {
  std::string place = escape_control(span.file);
  if (span.first_line > 0) place += fmt::format(":{}", span.first_line);
  if (span.first_line > 0 && span.column > 0) place += fmt::format(":{}", span.column);
  return place;
}

std::string caret_line(const SourceSpan& span, const Terminal& terminal, std::size_t gutter) {
  const std::size_t size = span.text.size();
  const std::size_t start = std::min(static_cast<std::size_t>(span.column - 1), size);
  const std::size_t length = std::min(static_cast<std::size_t>(std::max(span.length, 1)), size - start);
  const std::size_t indent = display_width(shown(std::string_view(span.text).substr(0, start)));
  const std::size_t width = display_width(shown(std::string_view(span.text).substr(start, length)));
  const std::string caret(std::max<std::size_t>(width, 1), '^');
  return fmt::format("{:>{}} | {}{}\n", "", gutter, std::string(indent, ' '), terminal.paint(Colour::red, caret));
}

std::string render_span(const SourceSpan& span, const Terminal& terminal) {
  const std::string number = std::to_string(span.first_line);
  const std::size_t gutter = std::max<std::size_t>(number.size(), 3);
  std::string out = fmt::format("{:>{}}--> {}\n", "", gutter - 1, place_of(span));
  if (span.first_line <= 0 || span.text.empty()) return out;
  out += fmt::format("{:>{}} |\n", "", gutter);
  out += fmt::format("{:>{}} | {}\n", number, gutter, shown(span.text));
  if (span.column > 0) out += caret_line(span, terminal, gutter);
  return out;
}

}  // namespace

std::string render_error(const Error& error, const Terminal& terminal) {
  std::string out = fmt::format("{} {}\n", terminal.paint(Colour::red, "Error:"), escape_control(error.what(), true));
  if (error.span()) out += render_span(*error.span(), terminal);
  for (const std::string& hint : error.hints()) {
    out += fmt::format("{} {}\n", terminal.paint(Colour::cyan, "hint:"), escape_control(hint, true));
  }
  return out;
}

std::string render_unexpected(const std::string& what, const Terminal& terminal) {
  return fmt::format("{} internal error: {}\n", terminal.paint(Colour::red, "Error:"), escape_control(what, true));
}

}  // namespace tektii::cli
