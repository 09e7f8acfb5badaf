#pragma once

#include "step_cache.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::builder {

// The steps of one build by their keys. Each is looked up or made once, also where stages side by side have the same
// one: a command that gives another result each time would else leave different layers in them, and the record of the
// last to end would decide what the next build takes. Thread-safe.
class StepRuns {
 public:
  // Calls `make` for the first that comes with `key`; whoever comes later waits for that result and takes it. A failure
  // of `make` ends the whole build: those that wait are woken by `stop`, so that the error is told once. Throws
  // Error{interrupted} on stop. The caller must hold nothing that `make` of another step may wait for.
  StepResult run(const std::string& key, const std::stop_token& stop, const std::function<StepResult()>& make);

 private:
  std::mutex mutex_;
  std::condition_variable_any made_;
  std::map<std::string, std::optional<StepResult>> results_;  // nullopt while the step is under way
};

}  // namespace tektii::builder
