#pragma once

#include "progress.hpp"
#include <tektii/builder/progress.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tektii::cli {

// Keeps account of where a build's time goes and hands everything on to the sink that shows it.
class BuildTimes : public builder::ProgressSink {
 public:
  // The build begins. `next` outlives this.
  explicit BuildTimes(builder::ProgressSink& next, ProgressClock now = std::chrono::steady_clock::now);

  int step_started(std::string_view title) override;
  void step_output(int step_id, std::string_view bytes) override { next_.step_output(step_id, bytes); }
  void step_progress(int step_id, const builder::StepProgress& progress) override;
  void step_finished(int step_id, builder::StepOutcome outcome, std::chrono::milliseconds took) override;

  // A table of at most 80 columns: each kind of work with the time in which any of it went on, its bytes and their
  // rate, the steps of the Dockerfile, and the whole; then the hits and misses of the cache.
  std::string table() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Step {
    std::string title;
    builder::Activity activity = builder::Activity::other;
    std::uint64_t done = 0;
    bool is_instruction = false;
  };
  struct Tally {
    int going_on = 0;
    TimePoint since;
    std::chrono::nanoseconds busy{0};
    std::uint64_t bytes = 0;
    int times = 0;
  };
  struct Instruction {
    std::string title;
    builder::StepOutcome outcome = builder::StepOutcome::failed;
    std::chrono::milliseconds took{0};
    std::uint64_t written = 0;
  };

  Tally& tally_of(builder::Activity activity) { return tallies_.at(static_cast<std::size_t>(activity)); }
  void enter(Step& step, builder::Activity activity);
  void leave(Step& step);

  builder::ProgressSink& next_;
  ProgressClock now_;
  TimePoint started_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<int, Step> running_;
  std::map<int, Instruction> instructions_;
  std::array<Tally, 11> tallies_;  // by activity
};

}  // namespace tektii::cli
