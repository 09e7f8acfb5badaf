#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace tektii::builder {

enum class StepOutcome { done, cached, failed, canceled };

// Port: told what a build does, from any thread; implementations lock. Rendering is the cli's business.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // A piece of work begins: "[build 2/5] RUN pip install -r requirements.txt", "push 127.0.0.1:5000/a:1". Returns the
  // number by which the other calls name it, unique in the life of the sink.
  virtual int step_started(std::string_view title) = 0;
  // A chunk of a command's output, as it came.
  virtual void step_output(int step_id, std::string_view bytes) = 0;
  virtual void step_finished(int step_id, StepOutcome outcome, std::chrono::milliseconds took) = 0;
  // Everything told so far is shown when this returns, and what others print now stays where they print it.
  virtual void settle() {}
};

// One step on a sink. A step that is left by an exception is reported as failed, or as canceled when `was_stopped`.
class ProgressStep {
 public:
  ProgressStep(ProgressSink& sink, std::string_view title, std::function<bool()> was_stopped = {});
  ProgressStep(const ProgressStep&) = delete;
  ProgressStep& operator=(const ProgressStep&) = delete;
  ~ProgressStep();

  int id() const { return id_; }
  void finish(StepOutcome outcome);

 private:
  ProgressSink& sink_;
  std::function<bool()> was_stopped_;
  int id_;
  std::chrono::steady_clock::time_point started_;
  bool finished_ = false;
};

}  // namespace tektii::builder
