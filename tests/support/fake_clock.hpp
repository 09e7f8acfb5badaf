#pragma once

#include <tektii/util/clock.hpp>

#include <chrono>
#include <mutex>
#include <vector>

namespace tektii::testing {

// Time stands still until it is told to move; sleeping moves it and takes none.
class FakeClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    const std::lock_guard lock(mutex_);
    if (stop.stop_requested()) return false;
    sleeps_.push_back(duration);
    now_ += duration;
    return true;
  }
  void advance(std::chrono::milliseconds duration) {
    const std::lock_guard lock(mutex_);
    now_ += duration;
  }
  std::vector<std::chrono::milliseconds> sleeps() const {
    const std::lock_guard lock(mutex_);
    return sleeps_;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1'700'000'000)};
  std::vector<std::chrono::milliseconds> sleeps_;
};

}  // namespace tektii::testing
