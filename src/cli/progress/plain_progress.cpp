// One line per event, in the form of buildx's plain mode; for logs and pipes.
#include "progress.hpp"
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <string>

namespace tektii::cli {
namespace {

using Clock = std::chrono::steady_clock;

class PlainProgress : public builder::ProgressSink {
 public:
  PlainProgress(int fd, int steps_before) : fd_(fd), last_id_(steps_before) {}

  int step_started(std::string_view title) override {
    const std::lock_guard lock(mutex_);
    const int id = ++last_id_;
    steps_[id] = {Clock::now(), {}};
    std::string line;
    for (const char c : title) line += c == '\n' ? ' ' : c;
    print(fmt::format("#{} {}\n", id, escape_control(line)));
    return id;
  }

  void step_output(int step_id, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    auto& step = steps_[step_id];
    std::string lines;
    for (const char c : bytes) {
      if (c == '\n') {
        lines += take_line(step_id, step);
      } else {
        step.partial += c;
        if (step.partial.size() >= k_longest_line) lines += take_line(step_id, step);
      }
    }
    if (!lines.empty()) print(lines);
  }

  void step_finished(int step_id, builder::StepOutcome outcome, std::chrono::milliseconds took) override {
    const std::lock_guard lock(mutex_);
    auto& step = steps_[step_id];
    std::string text;
    if (!step.partial.empty()) text += take_line(step_id, step);
    const auto seconds = static_cast<double>(took.count()) / 1000.0;
    switch (outcome) {
      case builder::StepOutcome::done:
        text += fmt::format("#{} DONE {:.1f}s\n", step_id, seconds);
        break;
      case builder::StepOutcome::cached:
        text += fmt::format("#{} CACHED\n", step_id);
        break;
      case builder::StepOutcome::failed:
        text += fmt::format("#{} ERROR {:.1f}s\n", step_id, seconds);
        break;
      case builder::StepOutcome::canceled:
        text += fmt::format("#{} CANCELED\n", step_id);
        break;
    }
    print(text);
    steps_.erase(step_id);
  }

 private:
  static constexpr std::size_t k_longest_line = 8192;  // a longer one is broken, so that no output is held back

  struct Step {
    Clock::time_point started;
    std::string partial;  // output after the last line break
  };

  // "#3 0.512 text"; of a line that overwrites itself with '\r' (progress bars) the last state is shown.
  static std::string take_line(int step_id, Step& step) {
    std::string text = std::move(step.partial);
    step.partial.clear();
    while (!text.empty() && text.back() == '\r') text.pop_back();
    if (const auto carriage = text.rfind('\r'); carriage != std::string::npos) text.erase(0, carriage + 1);
    const auto elapsed = std::chrono::duration<double>(Clock::now() - step.started).count();
    return fmt::format("#{} {:.3f} {}\n", step_id, elapsed, escape_control(text));
  }

  void print(const std::string& text) const { write_fully(fd_, as_byte_span(text), "standard error"); }

  int fd_;
  std::mutex mutex_;
  int last_id_;
  std::map<int, Step> steps_;
};

}  // namespace

std::unique_ptr<builder::ProgressSink> make_plain_progress(int fd, int steps_before) {
  return std::make_unique<PlainProgress>(fd, steps_before);
}

}  // namespace tektii::cli
