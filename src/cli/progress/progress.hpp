#pragma once

#include <tektii/builder/progress.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace tektii::cli {

enum class ProgressMode { automatic, tty, plain, json, quiet };

// "auto", "tty", "plain", "json" (also buildx's "rawjson") or "quiet"; throws Error{usage} on another word.
ProgressMode parse_progress_mode(std::string_view text);

// Renders a build's progress on standard error. `automatic` is tty on a terminal that is not in CI, else plain. Steps
// are numbered from `steps_before` on, for a build that has shown so many on an earlier sink.
std::unique_ptr<builder::ProgressSink> make_progress(ProgressMode mode, int steps_before = 0);

// The renderers, on any file descriptor (not owned).
std::unique_ptr<builder::ProgressSink> make_plain_progress(int fd, int steps_before = 0);
std::unique_ptr<builder::ProgressSink> make_json_progress(int fd, int steps_before = 0);
std::unique_ptr<builder::ProgressSink> make_tty_progress(int fd, bool colour);
std::unique_ptr<builder::ProgressSink> make_quiet_progress();

// One line of text that fits `columns`, cut with an ellipsis; line breaks and control characters are shown, not obeyed.
std::string fit_line(std::string_view text, std::size_t columns);

}  // namespace tektii::cli
