// A live view for terminals: finished steps scroll up, running ones are redrawn below with their last lines of output.
#include "progress.hpp"
#include "transfer.hpp"
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace tektii::cli {
namespace {

using Clock = std::chrono::steady_clock;
using builder::StepOutcome;

constexpr std::size_t k_output_lines = 6;
constexpr auto k_tick =
    std::chrono::milliseconds(100);  // events only change the state; the terminal is drawn this often

class TtyProgress : public builder::ProgressSink {
 public:
  TtyProgress(int fd, bool colour)
      : fd_(fd), colour_(colour), thread_([this](const std::stop_token& stop) { draw_until(stop); }) {}

  ~TtyProgress() override {
    thread_.request_stop();
    thread_.join();
    const std::lock_guard lock(mutex_);
    draw();
  }

  int step_started(std::string_view title) override {
    const std::lock_guard lock(mutex_);
    const int id = ++last_id_;
    const auto now = Clock::now();
    running_.emplace(id, Step{std::string(title), now, Transfer(builder::Activity::other, now), {}, {}});
    return id;
  }

  void step_output(int step_id, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(step_id);
    if (found == running_.end()) return;
    auto& step = found->second;
    for (const char c : bytes) {
      if (c == '\n') {
        push_line(step);
      } else if (c == '\r') {
        step.partial.clear();
      } else {
        step.partial += c;
      }
    }
  }

  void step_progress(int step_id, const builder::StepProgress& progress) override {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(step_id);
    if (found == running_.end()) return;
    auto& transfer = found->second.transfer;
    const auto now = Clock::now();
    if (transfer.activity() != progress.activity) transfer = Transfer(progress.activity, now);
    transfer.update(progress, now);
  }

  void step_finished(int step_id, StepOutcome outcome, std::chrono::milliseconds took) override {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(step_id);
    if (found == running_.end()) return;
    auto& step = found->second;
    if (!step.partial.empty()) push_line(step);
    finished_.push_back({std::move(step.title), outcome, took});
    running_.erase(found);
  }

  void settle() {
    const std::lock_guard lock(mutex_);
    draw();
    lines_drawn_ = 0;  // what is on the screen is no frame to be redrawn any more
  }

 private:
  struct Step {
    std::string title;
    Clock::time_point started;
    Transfer transfer;
    std::deque<std::string> lines;
    std::string partial;
  };
  struct Finished {
    std::string title;
    StepOutcome outcome;
    std::chrono::milliseconds took;
  };

  static void push_line(Step& step) {
    step.lines.push_back(std::move(step.partial));
    step.partial.clear();
    if (step.lines.size() > k_output_lines) step.lines.pop_front();
  }

  void draw_until(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    std::condition_variable_any tick;
    while (!stop.stop_requested()) {
      tick.wait_for(lock, stop, k_tick, [] { return false; });
      draw();
    }
  }

  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };

  Size screen() const {
    winsize size{};
    // Some terminals report 0 columns (a serial console, a pty nobody sized): take the classic size.
    if (::ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col < 20 || size.ws_row < 4) return {};
    return {size.ws_col, size.ws_row};
  }

  std::string paint(const char* code, const std::string& text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  // One line: the mark, the title, and the time at the right edge.
  std::string title_line(const char* mark, const std::string& title, const std::string& right, const char* code,
                         std::size_t width) const {
    const auto room = width - display_width(right) - 4;
    const auto text = fit_line(title, room);
    const std::string gap(room - display_width(text) + 1, ' ');
    return paint(code, fmt::format("{} {}{}{}", mark, text, gap, right)) + "\n";
  }

  std::string finished_text(const Finished& step, std::size_t width) const {
    const auto time = format_duration(step.took.count());
    switch (step.outcome) {
      case StepOutcome::done:
        return title_line("✓", step.title, time, "32", width);
      case StepOutcome::cached:
        return title_line("✓", step.title, "cached", "36", width);
      case StepOutcome::canceled:
        return title_line("-", step.title, "canceled", "33", width);
      case StepOutcome::failed:
        break;
    }
    return title_line("✗", step.title, time, "31", width);  // the error that follows has the last lines
  }

  void draw() {
    if (running_.empty() && finished_.empty() && lines_drawn_ == 0) return;
    const auto size = screen();
    std::string frame;
    if (lines_drawn_ > 0) frame += fmt::format("\x1b[{}A", lines_drawn_);
    frame += "\r\x1b[J";
    for (const auto& step : finished_) frame += finished_text(step, size.columns);
    finished_.clear();
    lines_drawn_ = 0;
    // A frame that is higher than the screen could not be drawn over.
    const std::size_t room = size.rows - 1;
    const std::size_t shown = std::min(running_.size(), room);
    const std::size_t lines_each = shown == 0 ? 0 : std::min(k_output_lines, (room - shown) / shown);
    for (auto it = std::prev(running_.end(), static_cast<std::ptrdiff_t>(shown)); it != running_.end(); ++it) {
      frame += running_text(it->second, size.columns, lines_each);
    }
    write_fully(fd_, as_byte_span(frame), "standard error");
  }

  std::string running_text(const Step& step, std::size_t width, std::size_t most_lines) {
    const auto now = Clock::now();
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - step.started);
    auto right = format_duration(elapsed.count());
    // The title has the first say, but not more than half of the line.
    const auto taken = std::min(display_width(step.title), width / 2) + display_width(right) + 6;
    if (taken < width) {
      if (const auto moved = step.transfer.short_text(now, width - taken); !moved.empty()) right = moved + "  " + right;
    }
    auto text = title_line("→", step.title, right, "1", width);
    ++lines_drawn_;
    const std::size_t first = step.lines.size() - std::min(step.lines.size(), most_lines);
    for (std::size_t i = first; i < step.lines.size(); ++i) {
      text += paint("2", "  │ " + fit_line(step.lines[i], width - 5)) + "\n";
      ++lines_drawn_;
    }
    return text;
  }

  int fd_;
  bool colour_;
  std::mutex mutex_;
  int last_id_ = 0;
  std::map<int, Step> running_;
  std::deque<Finished> finished_;
  std::size_t lines_drawn_ = 0;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace

Renderer make_tty_progress(int fd, bool colour) {
  auto progress = std::make_unique<TtyProgress>(fd, colour);
  auto* tty = progress.get();
  return {std::move(progress), [tty] { tty->settle(); }};
}

}  // namespace tektii::cli
