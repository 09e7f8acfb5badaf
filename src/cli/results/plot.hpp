#pragma once

#include "cli/results/equity_curve.hpp"

#include <cstddef>
#include <string>

namespace tektii::cli {

struct PlotSize {
  std::size_t columns = 80;  // of characters, labels included; at least 30 are used
  std::size_t rows = 12;     // of the equity curve; the drawdown below has a third of them
};

// The equity curve and the drawdown below it in braille dots, or in '*' where `utf8` is false, with their extremes at
// the side and the first and last time below.
std::string plot_text(const EquityCurve& curve, const PlotSize& size, bool utf8);

// The same as a picture that stands alone.
std::string plot_svg(const EquityCurve& curve, const std::string& title);

}  // namespace tektii::cli
