// One JSON object per line and event, for programs.
#include "progress.hpp"
#include "transfer.hpp"
#include <tektii/util/fd.hpp>

#include <nlohmann/json.hpp>

#include <mutex>

namespace tektii::cli {
namespace {

std::string_view outcome_name(builder::StepOutcome outcome) {
  switch (outcome) {
    case builder::StepOutcome::done:
      return "done";
    case builder::StepOutcome::cached:
      return "cached";
    case builder::StepOutcome::failed:
      return "failed";
    case builder::StepOutcome::canceled:
      return "canceled";
  }
  return "failed";
}

class JsonProgress : public builder::ProgressSink {
 public:
  JsonProgress(int fd, int steps_before) : fd_(fd), last_id_(steps_before) {}

  int step_started(std::string_view title) override {
    const std::lock_guard lock(mutex_);
    const int id = ++last_id_;
    print({{"event", "started"}, {"step", id}, {"title", title}});
    return id;
  }
  void step_output(int step_id, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    print({{"event", "output"}, {"step", step_id}, {"text", bytes}});
  }
  void step_progress(int step_id, const builder::StepProgress& progress) override {
    const std::lock_guard lock(mutex_);
    nlohmann::ordered_json event = {
        {"event", "progress"}, {"step", step_id}, {"activity", activity_name(progress.activity)}};
    event["bytes"] = progress.done;
    if (progress.total > 0) event["total"] = progress.total;
    print(event);
  }
  void step_finished(int step_id, builder::StepOutcome outcome, std::chrono::milliseconds took) override {
    const std::lock_guard lock(mutex_);
    print(
        {{"event", "finished"}, {"step", step_id}, {"outcome", outcome_name(outcome)}, {"milliseconds", took.count()}});
  }

 private:
  void print(const nlohmann::ordered_json& event) const {
    // Output may be cut inside a character or be no UTF-8 at all: such bytes become U+FFFD.
    const auto line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    write_fully(fd_, as_byte_span(line), "standard error");
  }

  int fd_;
  std::mutex mutex_;
  int last_id_;
};

}  // namespace

Renderer make_json_progress(int fd, int steps_before) {
  return {std::make_unique<JsonProgress>(fd, steps_before)};
}

}  // namespace tektii::cli
