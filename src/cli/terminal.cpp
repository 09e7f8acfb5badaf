#include "cli/terminal.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <string>
#include <utility>

namespace tektii::cli {

namespace {

bool has_value(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// The characters that our own output is made of, for a terminal that shows ASCII alone.
std::string to_ascii(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 15> k_signs = {{{"┌", "+"},
                                                                                      {"┬", "+"},
                                                                                      {"┐", "+"},
                                                                                      {"├", "+"},
                                                                                      {"┼", "+"},
                                                                                      {"┤", "+"},
                                                                                      {"└", "+"},
                                                                                      {"┴", "+"},
                                                                                      {"┘", "+"},
                                                                                      {"─", "-"},
                                                                                      {"│", "|"},
                                                                                      {"✓", "ok:"},
                                                                                      {"→", "->"},
                                                                                      {"…", "..."},
                                                                                      {"·", "*"}}};
  std::string out;
  while (!text.empty()) {
    const auto* sign =
        std::find_if(k_signs.begin(), k_signs.end(), [&](const auto& one) { return text.starts_with(one.first); });
    if (sign == k_signs.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += sign->second;
      text.remove_prefix(sign->first.size());
    }
  }
  return out;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!has_value(name)) continue;
    const std::string value = to_lower(std::getenv(name));
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return true;
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
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) traits.out_columns = size.ws_col;
  traits.utf8 = !(traits.out_is_tty || traits.err_is_tty) || locale_is_utf8();
  return traits;
}

void Terminal::result(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (traits_.utf8) {
    out_ << text;
  } else {
    out_ << to_ascii(text);
  }
  out_ << std::flush;
  if (!out_) throw Error(ErrorKind::failure, "can't write to standard output");
}

void Terminal::put(std::string_view text) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  err_ << (traits_.utf8 ? std::string(text) : to_ascii(text)) << '\n' << std::flush;
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
  err_ << (traits_.utf8 ? std::string(text) : to_ascii(text)) << std::flush;
}

std::string Terminal::paint(Colour colour, std::string_view text) const {
  if (!traits_.colour) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(colour), text);
}

}  // namespace tektii::cli
