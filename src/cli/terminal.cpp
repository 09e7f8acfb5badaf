#include "cli/terminal.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ostream>

namespace tektii::cli {

namespace {

bool has_value(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

const char* escape_of(Colour colour) {
  switch (colour) {
    case Colour::red:
      return "\x1b[1;31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::cyan:
      return "\x1b[36m";
    case Colour::bold:
      return "\x1b[1m";
  }
  return "";
}

}  // namespace

TerminalTraits detect_terminal() {
  TerminalTraits traits;
  traits.out_is_tty = ::isatty(STDOUT_FILENO) == 1;
  traits.err_is_tty = ::isatty(STDERR_FILENO) == 1;
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  traits.colour = traits.err_is_tty && !dumb && !has_value("NO_COLOR");
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) traits.columns = size.ws_col;
  return traits;
}

void Terminal::result(std::string_view text) {
  const std::lock_guard lock(mutex_);
  out_ << text << std::flush;
  if (!out_) throw Error(ErrorKind::failure, "can't write to standard output");
}

void Terminal::put(std::string_view text) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  err_ << text << '\n' << std::flush;
}

void Terminal::line(std::string_view text) {
  put(text);
}

void Terminal::success(std::string_view text) {
  put(fmt::format("{} {}", paint(Colour::green, "✓"), text));
}

void Terminal::info(std::string_view text) {
  put(fmt::format("{} {}", paint(Colour::cyan, "→"), text));
}

void Terminal::warning(std::string_view text) {
  put(fmt::format("{} {}", paint(Colour::yellow, "Warning:"), text));
}

void Terminal::error_text(std::string_view text) {
  const std::lock_guard lock(mutex_);
  err_ << text << std::flush;
}

std::string Terminal::paint(Colour colour, std::string_view text) const {
  if (!traits_.colour) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(colour), text);
}

}  // namespace tektii::cli
