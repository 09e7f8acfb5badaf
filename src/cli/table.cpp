#include "cli/table.hpp"

#include <tektii/util/clock.hpp>
#include <tektii/util/text.hpp>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <string_view>

namespace tektii::cli {

namespace {

using Row = std::vector<std::string>;
using Widths = std::vector<std::size_t>;

Row escaped(const Row& row, std::size_t columns) {
  Row out;
  for (std::size_t i = 0; i < columns; ++i) out.push_back(i < row.size() ? escape_control(row[i]) : std::string());
  return out;
}

std::string rule(const Widths& widths, std::string_view left, std::string_view middle, std::string_view right) {
  std::string out(left);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) out += middle;
    for (std::size_t n = 0; n < widths[i] + 2; ++n) out += "─";
  }
  out += right;
  return out + "\n";
}

std::string line(const Widths& widths, const Row& row) {
  std::string out = "│";
  for (std::size_t i = 0; i < widths.size(); ++i) {
    out += " " + row[i] + std::string(widths[i] - display_width(row[i]), ' ') + " │";
  }
  return out + "\n";
}

}  // namespace

std::string render_table(const Row& header, const std::vector<Row>& rows) {
  std::vector<Row> lines = {escaped(header, header.size())};
  for (const Row& row : rows) lines.push_back(escaped(row, header.size()));
  Widths widths(header.size(), 0);
  for (const Row& row : lines) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string out = rule(widths, "┌", "┬", "┐") + line(widths, lines.front()) + rule(widths, "├", "┼", "┤");
  for (std::size_t i = 1; i < lines.size(); ++i) out += line(widths, lines[i]);
  return out + rule(widths, "└", "┴", "┘");
}

std::string render_record(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::vector<Row> rows;
  for (const auto& field : fields) rows.push_back({field.first, field.second});
  return render_table({"Field", "Value"}, rows);
}

std::string short_time(const std::string& rfc3339) {
  const auto seconds = parse_rfc3339(rfc3339);
  if (!seconds) return rfc3339;
  const std::string utc = format_rfc3339(*seconds);  // "2024-01-15T10:30:00Z"
  return utc.substr(0, 10) + " " + utc.substr(11, 5);
}

std::string words_of_camel_case(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (out.empty()) {
      out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    } else {
      if (upper) out += ' ';
      out += c;
    }
  }
  return out;
}

}  // namespace tektii::cli
