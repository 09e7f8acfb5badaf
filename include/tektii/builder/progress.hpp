#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tektii::builder {

enum class StepOutcome { done, cached, failed, canceled };

// What a step is at. A step of the Dockerfile passes through several, beginning with look_in_cache.
enum class Activity {
  other,
  look_up,
  download,
  look_in_cache,
  read_files,
  prepare,
  unpack,
  run,
  write_layer,
  upload,
  write_output,
};

struct StepProgress {
  Activity activity = Activity::other;
  std::uint64_t done = 0;   // bytes of this activity so far
  std::uint64_t total = 0;  // bytes that it will be in the end; 0 when nobody knows
};

// Port: told what a build does, from any thread; implementations lock. Rendering is the cli's business.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // A piece of work begins: "[build 2/5] RUN pip install -r requirements.txt", "push 127.0.0.1:5000/a:1". Returns the
  // number by which the other calls name it, unique in the life of the sink.
  virtual int step_started(std::string_view title) = 0;
  // A chunk of a command's output, as it came.
  virtual void step_output(int step_id, std::string_view bytes) = 0;
  // Told when an activity of the step begins, some ten times a second while its bytes move, and when it ends.
  virtual void step_progress(int step_id, const StepProgress& progress) = 0;
  virtual void step_finished(int step_id, StepOutcome outcome, std::chrono::milliseconds took) = 0;
};

// One step on a sink. A step that is left by an exception is reported as failed, or as canceled when `was_stopped`.
class ProgressStep {
 public:
  ProgressStep(ProgressSink& sink, std::string_view title, std::function<bool()> was_stopped = {});
  ProgressStep(const ProgressStep&) = delete;
  ProgressStep& operator=(const ProgressStep&) = delete;
  ~ProgressStep();

  int id() const { return id_; }
  // An activity begins of which no bytes are counted; those with bytes have a ByteMeter.
  void begin(Activity activity) { sink_.step_progress(id_, {activity}); }
  void finish(StepOutcome outcome);

 private:
  ProgressSink& sink_;
  std::function<bool()> was_stopped_;
  int id_;
  std::chrono::steady_clock::time_point started_;
  bool finished_ = false;
};

}  // namespace tektii::builder
