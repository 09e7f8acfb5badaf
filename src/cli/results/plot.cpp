#include "cli/results/plot.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

namespace tektii::cli {

namespace {

constexpr std::size_t k_label_width = 12;

struct Range {
  double low = 0;
  double high = 0;
};

Range range_of(const std::vector<CurvePoint>& points) {
  Range range{points.front().lowest, points.front().highest};
  for (const CurvePoint& point : points) {
    range.low = std::min(range.low, point.lowest);
    range.high = std::max(range.high, point.highest);
  }
  return range;
}

// Dots in a field of characters: two columns and four rows of dots in each (Unicode block U+2800), or one of each in
// ASCII.
class DotField {
 public:
  DotField(std::size_t columns, std::size_t rows, bool utf8)
      : columns_(columns), rows_(rows), utf8_(utf8), cells_(columns * rows, 0) {}

  std::size_t width() const { return utf8_ ? columns_ * 2 : columns_; }
  std::size_t height() const { return utf8_ ? rows_ * 4 : rows_; }

  void set(std::size_t x, std::size_t y) {
    if (!utf8_) {
      cells_[y * columns_ + x] = 1;
      return;
    }
    constexpr std::array<std::array<std::uint8_t, 2>, 4> k_bits = {
        {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
    cells_[y / 4 * columns_ + x / 2] |= k_bits[y % 4][x % 2];
  }

  std::string row(std::size_t row) const {
    std::string text;
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::uint8_t cell = cells_[row * columns_ + column];
      if (!utf8_) {
        text += cell != 0 ? '*' : ' ';
      } else {
        // U+2800 + cell in UTF-8.
        text += '\xe2';
        text += static_cast<char>(0xa0 | (cell >> 6));
        text += static_cast<char>(0x80 | (cell & 0x3f));
      }
    }
    return text;
  }

 private:
  std::size_t columns_;
  std::size_t rows_;
  bool utf8_;
  std::vector<std::uint8_t> cells_;
};

// The row of dots for a value; 0 is the top.
std::size_t dot_row(double value, const Range& range, std::size_t height) {
  if (range.high <= range.low) return height / 2;
  const double share = (range.high - value) / (range.high - range.low);
  return std::min(height - 1, static_cast<std::size_t>(share * static_cast<double>(height - 1) + 0.5));
}

void draw(DotField& field, const std::vector<CurvePoint>& points, const Range& range) {
  std::size_t before_top = 0;
  std::size_t before_bottom = 0;
  for (std::size_t x = 0; x < field.width(); ++x) {
    const CurvePoint& point = points[x * points.size() / field.width()];
    std::size_t top = dot_row(point.highest, range, field.height());
    std::size_t bottom = dot_row(point.lowest, range, field.height());
    const std::pair<std::size_t, std::size_t> own{top, bottom};
    // Reaches to its neighbour, so that the line has no gaps.
    if (x > 0 && top > before_bottom + 1) top = before_bottom + 1;
    if (x > 0 && bottom + 1 < before_top) bottom = before_top - 1;
    for (std::size_t y = top; y <= bottom; ++y) field.set(x, y);
    std::tie(before_top, before_bottom) = own;
  }
}

std::string panel(const std::vector<CurvePoint>& points, const std::string& unit, std::size_t columns, std::size_t rows,
                  bool utf8) {
  DotField field(columns, rows, utf8);
  const Range range = range_of(points);
  draw(field, resample(points, field.width()), range);
  const std::string side = utf8 ? "│" : "|";
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    std::string label;
    if (row == 0) label = fmt::format("{:.2f}{}", range.high, unit);
    if (row + 1 == rows) label = fmt::format("{:.2f}{}", range.low, unit);
    text += fmt::format("{:>{}} {}{}\n", label, k_label_width, side, field.row(row));
  }
  return text;
}

std::string polyline(const std::vector<CurvePoint>& points, double left, double top, double width, double height) {
  const Range range = range_of(points);
  const double span = range.high > range.low ? range.high - range.low : 1;
  const double step = points.size() > 1 ? width / static_cast<double>(points.size() - 1) : 0;
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = left + step * static_cast<double>(i);
    const auto y = [&](double value) { return top + (range.high - value) / span * height; };
    text += fmt::format("{:.1f},{:.1f} ", x, y(points[i].highest));
    if (points[i].lowest != points[i].highest) text += fmt::format("{:.1f},{:.1f} ", x, y(points[i].lowest));
  }
  if (!text.empty()) text.pop_back();
  return text;
}

std::string escaped_xml(const std::string& text) {
  std::string out;
  for (const char c : escape_control(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string svg_text(double x, double y, std::string_view anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped_xml(text));
}

}  // namespace

std::string plot_text(const EquityCurve& curve, const PlotSize& size, bool utf8) {
  constexpr std::size_t k_fewest_columns = 30;
  const std::size_t columns = std::max(size.columns, k_fewest_columns) - k_label_width - 2;
  const std::size_t rows = std::max<std::size_t>(size.rows, 2);
  std::string text = fmt::format("{:>{}}\n", "Equity", k_label_width);
  text += panel(curve.equity(), "", columns, rows, utf8);
  text += fmt::format("{:>{}}\n", "Drawdown", k_label_width);
  text += panel(curve.drawdown(), "%", columns, std::max<std::size_t>(rows / 3, 2), utf8);
  const std::string begin = escape_control(curve.first_time());
  const std::string end = escape_control(curve.last_time());
  const std::size_t used = display_width(begin) + display_width(end);
  const std::string gap(columns > used ? columns - used : 1, ' ');
  return text + std::string(k_label_width + 2, ' ') + begin + gap + end + "\n";
}

std::string plot_svg(const EquityCurve& curve, const std::string& title) {
  constexpr double k_left = 90;
  constexpr double k_width = 690;
  constexpr double k_equity_top = 40;
  constexpr double k_equity_height = 260;
  constexpr double k_drawdown_top = 330;
  constexpr double k_drawdown_height = 80;
  const Range equity = range_of(curve.equity());
  const Range drawdown = range_of(curve.drawdown());
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 450\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"800\" height=\"450\" fill=\"#fff\"/>\n";
  svg += svg_text(k_left, 24, "start", title);
  for (const auto& [top, height] : {std::pair{k_equity_top, k_equity_height}, {k_drawdown_top, k_drawdown_height}}) {
    svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#ccc\"/>\n", k_left,
                       top, k_width, height);
  }
  svg += svg_text(k_left - 6, k_equity_top + 10, "end", fmt::format("{:.2f}", equity.high));
  svg += svg_text(k_left - 6, k_equity_top + k_equity_height, "end", fmt::format("{:.2f}", equity.low));
  svg += svg_text(k_left - 6, k_drawdown_top + 10, "end", fmt::format("{:.2f}%", drawdown.high));
  svg += svg_text(k_left - 6, k_drawdown_top + k_drawdown_height, "end", fmt::format("{:.2f}%", drawdown.low));
  svg += svg_text(k_left, 432, "start", curve.first_time());
  svg += svg_text(k_left + k_width, 432, "end", curve.last_time());
  svg += fmt::format("<polyline fill=\"none\" stroke=\"#1769aa\" stroke-width=\"1.5\" points=\"{}\"/>\n",
                     polyline(curve.equity(), k_left, k_equity_top, k_width, k_equity_height));
  svg += fmt::format("<polyline fill=\"none\" stroke=\"#b3261e\" stroke-width=\"1.5\" points=\"{}\"/>\n",
                     polyline(curve.drawdown(), k_left, k_drawdown_top, k_width, k_drawdown_height));
  return svg + "</svg>\n";
}

}  // namespace tektii::cli
