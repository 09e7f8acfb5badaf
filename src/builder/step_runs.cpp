#include "step_runs.hpp"

#include <tektii/util/error.hpp>

namespace tektii::builder {

StepResult StepRuns::run(const std::string& key, const std::stop_token& stop, const std::function<StepResult()>& make) {
  {
    std::unique_lock lock(mutex_);
    const auto [place, is_first] = results_.try_emplace(key);
    if (!is_first) {
      made_.wait(lock, stop, [&, place = place] { return place->second.has_value(); });
      throw_if_stopped(stop);
      return *place->second;
    }
  }
  auto result = make();
  {
    const std::lock_guard lock(mutex_);
    results_.at(key) = result;
  }
  made_.notify_all();
  return result;
}

}  // namespace tektii::builder
