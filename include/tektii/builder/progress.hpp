#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::builder {

enum class StepOutcome { done, cached, failed, canceled };

struct StepInfo {
  int id = 0;           // unique in a build, from 1
  std::string title;    // "[build 2/5] RUN pip install -r requirements.txt", "load python:3.12", "push 127.0.0.1:5000/a:1"
};

// Port: told what a build does, from any thread; implementations lock. Rendering is the cli's business.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void step_started(const StepInfo& step) = 0;
  // A chunk of a command's output, as it came.
  virtual void step_output(int step_id, std::string_view bytes) = 0;
  virtual void step_finished(int step_id, StepOutcome outcome, std::chrono::milliseconds took) = 0;
  virtual void message(std::string_view text, bool warning) = 0;
};

}  // namespace tektii::builder
