#include "cli/results/equity_curve.hpp"

#include <algorithm>

namespace tektii::cli {

namespace {

constexpr std::size_t k_most_points = 2048;

CurvePoint merged(const CurvePoint& a, const CurvePoint& b) {
  return {std::min(a.lowest, b.lowest), std::max(a.highest, b.highest)};
}

void halve_points(std::vector<CurvePoint>& points) {
  const std::size_t half = (points.size() + 1) / 2;
  for (std::size_t i = 0; i < half; ++i) {
    points[i] = 2 * i + 1 < points.size() ? merged(points[2 * i], points[2 * i + 1]) : points[2 * i];
  }
  points.resize(half);
}

}  // namespace

void EquityCurve::add(const std::string& time, double equity) {
  if (count_ == 0) {
    first_ = equity;
    first_time_ = time;
    peak_ = equity;
  }
  ++count_;
  last_ = equity;
  last_time_ = time;
  peak_ = std::max(peak_, equity);
  const double below = peak_ > 0 ? (equity - peak_) / peak_ * 100 : 0;
  if (in_last_ == per_point_ || equity_.empty()) {
    if (equity_.size() == k_most_points) halve();
    equity_.push_back({equity, equity});
    drawdown_.push_back({below, below});
    in_last_ = 1;
    return;
  }
  ++in_last_;
  equity_.back() = merged(equity_.back(), {equity, equity});
  drawdown_.back() = merged(drawdown_.back(), {below, below});
}

// The number of points is even when this is called, so that every point is full afterwards.
void EquityCurve::halve() {
  halve_points(equity_);
  halve_points(drawdown_);
  per_point_ *= 2;
}

std::vector<CurvePoint> resample(const std::vector<CurvePoint>& points, std::size_t columns) {
  if (points.size() <= columns) return points;
  std::vector<CurvePoint> out;
  out.reserve(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t begin = i * points.size() / columns;
    const std::size_t end = (i + 1) * points.size() / columns;
    CurvePoint point = points[begin];
    for (std::size_t k = begin + 1; k < end; ++k) point = merged(point, points[k]);
    out.push_back(point);
  }
  return out;
}

}  // namespace tektii::cli
