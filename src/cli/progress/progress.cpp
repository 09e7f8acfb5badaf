#include "progress.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace tektii::cli {
namespace {

class QuietProgress : public builder::ProgressSink {
 public:
  int step_started(std::string_view) override { return ++last_id_; }
  void step_output(int, std::string_view) override {}
  void step_progress(int, const builder::StepProgress&) override {}
  void step_finished(int, builder::StepOutcome, std::chrono::milliseconds) override {}

 private:
  std::atomic<int> last_id_{0};
};

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

ProgressMode parse_progress_mode(std::string_view text) {
  if (text == "auto") return ProgressMode::automatic;
  if (text == "tty") return ProgressMode::tty;
  if (text == "plain") return ProgressMode::plain;
  if (text == "json" || text == "rawjson") return ProgressMode::json;
  if (text == "quiet") return ProgressMode::quiet;
  throw Error(ErrorKind::usage, fmt::format("unknown --progress mode {}", text))
      .add_hint("use auto, tty, plain, json or quiet");
}

Renderer make_quiet_progress() {
  return {std::make_unique<QuietProgress>()};
}

Renderer make_progress(ProgressMode mode, int steps_before) {
  const char* term = std::getenv("TERM");
  const bool capable = term != nullptr && std::string_view(term) != "dumb";
  if (mode == ProgressMode::automatic) {
    mode = ::isatty(STDERR_FILENO) == 1 && capable && !is_set("CI") ? ProgressMode::tty : ProgressMode::plain;
  }
  switch (mode) {
    case ProgressMode::tty:
      return make_tty_progress(STDERR_FILENO, !is_set("NO_COLOR"));
    case ProgressMode::json:
      return make_json_progress(STDERR_FILENO, steps_before);
    case ProgressMode::quiet:
      return make_quiet_progress();
    default:
      return make_plain_progress(STDERR_FILENO, steps_before);
  }
}

std::string fit_line(std::string_view text, std::size_t columns) {
  std::string flat;
  for (const char c : text) flat += c == '\n' || c == '\t' ? ' ' : c;
  flat = escape_control(flat);
  if (display_width(flat) <= columns) return flat;
  std::string cut;
  for (std::size_t i = 0; i < flat.size();) {
    std::size_t length = 1;
    while (i + length < flat.size() && (static_cast<unsigned char>(flat[i + length]) & 0xC0U) == 0x80U) ++length;
    const auto next = cut + flat.substr(i, length);
    if (display_width(next) + 1 > columns) break;
    cut = next;
    i += length;
  }
  return cut + "…";
}

}  // namespace tektii::cli
