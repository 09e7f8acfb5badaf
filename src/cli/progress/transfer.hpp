#pragma once

#include <tektii/builder/progress.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::cli {

// One activity of a step, as it is shown while it goes on and when it has ended.
class Transfer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Transfer(builder::Activity activity, TimePoint started) : activity_(activity), started_(started) {}

  builder::Activity activity() const { return activity_; }
  std::uint64_t done() const { return done_; }
  std::chrono::milliseconds took(TimePoint now) const;

  // Takes what a step told of this activity.
  void update(const builder::StepProgress& progress, TimePoint now);

  // "downloading 12.3 MB of 45.6 MB, 4.1 MB/s"; the rate is that of the last seconds.
  std::string running_text(TimePoint now) const;
  // "downloaded 45.6 MB in 3.1s, 14.7 MB/s".
  std::string finished_text(TimePoint now) const;
  // For the right end of a line that has `columns` to spare: the longest of several forms that fits; may be empty.
  std::string short_text(TimePoint now, std::size_t columns) const;

 private:
  struct Sample {
    TimePoint time;
    std::uint64_t done;
  };
  std::optional<double> recent_rate(TimePoint now) const;

  builder::Activity activity_;
  TimePoint started_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  std::deque<Sample> samples_;  // of the last seconds
};

// "4.1 MB/s"; empty when nothing can be said because the time was too short.
std::string format_rate(std::uint64_t bytes, std::chrono::milliseconds took);

// "download", "write_layer" ...: the word in json events.
std::string_view activity_name(builder::Activity activity);

}  // namespace tektii::cli
