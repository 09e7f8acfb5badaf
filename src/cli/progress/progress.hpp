#pragma once

#include <tektii/builder/progress.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tektii::cli {

enum class ProgressMode { automatic, tty, plain, json, quiet };

// "auto", "tty", "plain", "json" (also buildx's "rawjson") or "quiet"; throws Error{usage} on another word.
ProgressMode parse_progress_mode(std::string_view text);

// What shows a build's progress.
struct Renderer {
  std::unique_ptr<builder::ProgressSink> sink;
  // Everything told so far is shown when this returns, and what others print now stays where they print it.
  std::function<void()> settle = [] {};
};

// Renders a build's progress on standard error. `automatic` is tty on a terminal that is not in CI, else plain. Steps
// are numbered from `steps_before` on, for a build that has shown so many on an earlier sink.
Renderer make_progress(ProgressMode mode, int steps_before = 0);

// The clock of a renderer; tests have their own.
using ProgressClock = std::function<std::chrono::steady_clock::time_point()>;

// The renderers, on any file descriptor (not owned). The form of json's lines is in docs/progress.md.
Renderer make_plain_progress(int fd, int steps_before = 0, ProgressClock now = std::chrono::steady_clock::now);
Renderer make_json_progress(int fd, int steps_before = 0);
Renderer make_tty_progress(int fd, bool colour);
Renderer make_quiet_progress();

// One line of text that fits `columns`, cut with an ellipsis; line breaks and control characters are shown, not obeyed.
std::string fit_line(std::string_view text, std::size_t columns);

}  // namespace tektii::cli
