#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tektii::cli {

// A stretch of the curve: its extremes, in the order of time as far as a picture can show it.
struct CurvePoint {
  double lowest = 0;
  double highest = 0;
};

// An equity curve of any length in bounded memory: as points come, neighbours are merged, so that between 1,024 and
// 2,048 stretches of equal length (but the last) remain. The drawdown (percent below the highest equity so far) is
// worked out from the points themselves.
class EquityCurve {
 public:
  void add(const std::string& time, double equity);

  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  const std::vector<CurvePoint>& equity() const { return equity_; }
  const std::vector<CurvePoint>& drawdown() const { return drawdown_; }  // 0 and below
  double first() const { return first_; }
  double last() const { return last_; }
  const std::string& first_time() const { return first_time_; }
  const std::string& last_time() const { return last_time_; }

 private:
  void halve();

  std::uint64_t count_ = 0;
  std::uint64_t per_point_ = 1;  // how many added values a point stands for
  std::uint64_t in_last_ = 0;
  double peak_ = 0;
  double first_ = 0;
  double last_ = 0;
  std::string first_time_;
  std::string last_time_;
  std::vector<CurvePoint> equity_;
  std::vector<CurvePoint> drawdown_;
};

// The points made into `columns` stretches; fewer when there are fewer points.
std::vector<CurvePoint> resample(const std::vector<CurvePoint>& points, std::size_t columns);

}  // namespace tektii::cli
