// One line per event, in the form of buildx's plain mode; for logs and pipes. What moves bytes for long says every few
// seconds how far it is.
#include "progress.hpp"
#include "transfer.hpp"
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace tektii::cli {
namespace {

using builder::Activity;
using Clock = std::chrono::steady_clock;

class PlainProgress : public builder::ProgressSink {
 public:
  PlainProgress(int fd, int steps_before, ProgressClock now) : fd_(fd), now_(std::move(now)), last_id_(steps_before) {}

  int step_started(std::string_view title) override {
    const std::lock_guard lock(mutex_);
    const int id = ++last_id_;
    const auto now = now_();
    steps_.insert_or_assign(id, Step{now, {}, Transfer(Activity::other, now), now});
    std::string line;
    for (const char c : title) line += c == '\n' ? ' ' : c;
    print(fmt::format("#{} {}\n", id, escape_control(line)));
    return id;
  }

  void step_output(int step_id, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    const auto found = steps_.find(step_id);
    if (found == steps_.end()) return;
    auto& step = found->second;
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

  void step_progress(int step_id, const builder::StepProgress& progress) override {
    const std::lock_guard lock(mutex_);
    const auto found = steps_.find(step_id);
    if (found == steps_.end()) return;
    auto& step = found->second;
    const auto now = now_();
    if (progress.activity != step.transfer.activity()) {
      print(end_of_transfer(step_id, step));
      step.transfer = Transfer(progress.activity, now);
      step.told = now;
    }
    step.transfer.update(progress, now);
    if (now - step.told < k_silence || progress.done == 0) return;
    step.told = now;
    print(fmt::format("#{} {}\n", step_id, step.transfer.running_text(now)));
  }

  void step_finished(int step_id, builder::StepOutcome outcome, std::chrono::milliseconds took) override {
    const std::lock_guard lock(mutex_);
    const auto found = steps_.find(step_id);
    if (found == steps_.end()) return;
    auto& step = found->second;
    std::string text;
    if (!step.partial.empty()) text += take_line(step_id, step);
    if (outcome == builder::StepOutcome::done) text += end_of_transfer(step_id, step);
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
    steps_.erase(found);
  }

 private:
  static constexpr std::chrono::seconds k_silence{5};  // of something that goes on
  // What a build does with its own files is told when it took so long for so much.
  static constexpr std::chrono::seconds k_long{1};
  static constexpr std::uint64_t k_much = 1'000'000;
  static constexpr std::size_t k_longest_line = 8192;  // a longer one is broken, so that no output is held back

  struct Step {
    Clock::time_point started;
    std::string partial;  // output after the last line break
    Transfer transfer;
    Clock::time_point told;  // when it was last said how far the transfer is
  };

  // "#3 downloaded 12.3 MB in 0.8s, 15.4 MB/s", or nothing when there is nothing to tell.
  std::string end_of_transfer(int step_id, const Step& step) const {
    const auto& transfer = step.transfer;
    const auto now = now_();
    const bool is_remote = transfer.activity() == Activity::download || transfer.activity() == Activity::upload;
    const bool is_notable = is_remote || (transfer.took(now) >= k_long && transfer.done() >= k_much);
    if (transfer.done() == 0 || !is_notable) return {};
    return fmt::format("#{} {}\n", step_id, transfer.finished_text(now));
  }

  // "#3 0.512 text"; of a line that overwrites itself with '\r' (progress bars) the last state is shown.
  std::string take_line(int step_id, Step& step) const {
    std::string text = std::move(step.partial);
    step.partial.clear();
    while (!text.empty() && text.back() == '\r') text.pop_back();
    if (const auto carriage = text.rfind('\r'); carriage != std::string::npos) text.erase(0, carriage + 1);
    const auto elapsed = std::chrono::duration<double>(now_() - step.started).count();
    return fmt::format("#{} {:.3f} {}\n", step_id, elapsed, escape_control(text));
  }

  void print(const std::string& text) const {
    if (!text.empty()) write_fully(fd_, as_byte_span(text), "standard error");
  }

  int fd_;
  ProgressClock now_;
  std::mutex mutex_;
  int last_id_;
  std::map<int, Step> steps_;
};

}  // namespace

Renderer make_plain_progress(int fd, int steps_before, ProgressClock now) {
  return {std::make_unique<PlainProgress>(fd, steps_before, std::move(now))};
}

}  // namespace tektii::cli
