#include <tektii/builder/progress.hpp>

namespace tektii::builder {

ProgressStep::ProgressStep(ProgressSink& sink, std::string_view title, std::function<bool()> was_stopped)
    : sink_(sink),
      was_stopped_(std::move(was_stopped)),
      id_(sink.step_started(title)),
      started_(std::chrono::steady_clock::now()) {}

void ProgressStep::finish(StepOutcome outcome) {
  finished_ = true;
  const auto took = std::chrono::steady_clock::now() - started_;
  sink_.step_finished(id_, outcome, std::chrono::duration_cast<std::chrono::milliseconds>(took));
}

ProgressStep::~ProgressStep() {
  if (!finished_) finish(was_stopped_ && was_stopped_() ? StepOutcome::canceled : StepOutcome::failed);
}

}  // namespace tektii::builder
