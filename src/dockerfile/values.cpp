#include "dockerfile/heredoc.hpp"
#include "dockerfile/text.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tektii::dockerfile {
namespace {

struct Signal {
  std::string_view name;
  int number;
};

// Linux on x86-64 (signal(7)); the image is for that, whatever machine builds it.
constexpr std::array k_signals = {
    Signal{"ABRT", 6},    Signal{"ALRM", 14},  Signal{"BUS", 7},   Signal{"CHLD", 17}, Signal{"CLD", 17},
    Signal{"CONT", 18},   Signal{"FPE", 8},    Signal{"HUP", 1},   Signal{"ILL", 4},   Signal{"INT", 2},
    Signal{"IO", 29},     Signal{"IOT", 6},    Signal{"KILL", 9},  Signal{"PIPE", 13}, Signal{"POLL", 29},
    Signal{"PROF", 27},   Signal{"PWR", 30},   Signal{"QUIT", 3},  Signal{"SEGV", 11}, Signal{"STKFLT", 16},
    Signal{"STOP", 19},   Signal{"SYS", 31},   Signal{"TERM", 15}, Signal{"TRAP", 5},  Signal{"TSTP", 20},
    Signal{"TTIN", 21},   Signal{"TTOU", 22},  Signal{"URG", 23},  Signal{"USR1", 10}, Signal{"USR2", 12},
    Signal{"VTALRM", 26}, Signal{"WINCH", 28}, Signal{"XCPU", 24}, Signal{"XFSZ", 25},
};
constexpr int k_rtmin = 34;
constexpr int k_rtmax = 64;

std::optional<int> parse_realtime_signal(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = from_min ? k_rtmin : k_rtmax;
  name.remove_prefix(5);
  if (name.empty()) return base;
  if (name.front() != (from_min ? '+' : '-')) return std::nullopt;
  const auto offset = parse_int(name.substr(1));
  if (!offset || *offset < 0 || *offset > k_rtmax - k_rtmin) return std::nullopt;
  return from_min ? base + static_cast<int>(*offset) : base - static_cast<int>(*offset);
}

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr std::array k_units = {Unit{"ns", 1},   Unit{"us", 1e3}, Unit{"\xC2\xB5s", 1e3}, Unit{"\xCE\xBCs", 1e3},
                                Unit{"ms", 1e6}, Unit{"s", 1e9},  Unit{"m", 60e9},        Unit{"h", 3600e9}};

// Reads digits with at most one dot off the front; nullopt when there is no digit.
std::optional<long double> take_number(std::string_view& text) {
  long double value = 0;
  long double scale = 0;
  bool any = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && scale == 0) {
      scale = 1;
      continue;
    }
    if (!is_digit(text[i])) break;
    any = true;
    value = value * 10 + (text[i] - '0');
    scale *= 10;
  }
  text.remove_prefix(i);
  if (!any) return std::nullopt;
  return scale > 1 ? value / scale : value;
}

}  // namespace

int parse_signal(std::string_view text) {
  const std::string message = fmt::format("invalid signal: {}", text);
  if (const auto number = parse_int(text)) {
    if (*number < 1 || *number > k_rtmax) throw Error(ErrorKind::usage, message);
    return static_cast<int>(*number);
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  if (name.starts_with("SIG")) name.erase(0, 3);
  const auto found = std::find_if(k_signals.begin(), k_signals.end(), [&](const Signal& s) { return s.name == name; });
  if (found != k_signals.end()) return found->number;
  if (const auto number = parse_realtime_signal(name)) return *number;
  std::vector<std::string> names;
  for (const Signal& signal : k_signals) names.emplace_back(signal.name);
  const auto suggestion = closest_match(name, names);
  throw Error(ErrorKind::usage, suggestion ? fmt::format("{} (did you mean SIG{}?)", message, *suggestion) : message);
}

std::int64_t parse_go_duration(std::string_view text) {
  const std::string quoted = go_quote(text);
  const auto invalid = [&] { return Error(ErrorKind::usage, "invalid duration " + quoted); };
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) throw invalid();
  long double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) throw invalid();
    const std::size_t length = std::min(text.find_first_of(".0123456789"), text.size());
    const std::string_view name = text.substr(0, length);
    if (name.empty()) throw Error(ErrorKind::usage, "missing unit in duration " + quoted);
    const auto unit = std::find_if(k_units.begin(), k_units.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == k_units.end()) {
      throw Error(ErrorKind::usage, fmt::format("unknown unit {} in duration {}", go_quote(name), quoted));
    }
    total += *number * unit->nanoseconds;
    text.remove_prefix(length);
    if (total > static_cast<long double>(std::numeric_limits<std::int64_t>::max())) throw invalid();
  }
  // Go adds up integers and drops what is below a nanosecond of every part; the sum here is exact to far below that.
  const auto nanoseconds = static_cast<std::int64_t>(std::floor(total + 1e-6L));
  return negative ? -nanoseconds : nanoseconds;
}

// ^(\d+(\.\d+)*) ?([kKmMgGtTpP])?[iI]?[bB]?$
std::optional<std::uint64_t> parse_ram_size(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  auto value = take_number(text);
  if (!value) return std::nullopt;
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (!text.empty()) {
    const std::size_t power = std::string_view("kmgtp").find(to_lower(text.substr(0, 1)));
    if (power != std::string_view::npos) {
      for (std::size_t i = 0; i <= power; ++i) *value *= 1024;
      text.remove_prefix(1);
    }
  }
  if (text.starts_with('i') || text.starts_with('I')) text.remove_prefix(1);
  if (text.starts_with('b') || text.starts_with('B')) text.remove_prefix(1);
  if (!text.empty() || *value >= static_cast<long double>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

ShellScript shell_script(const CommandLine& command) {
  ShellScript script;
  script.command = command.words.empty() ? std::string() : command.words.front();
  if (command.heredocs.empty()) return script;
  const Heredoc& first = command.heredocs.front();
  if (command.heredocs.size() == 1 && parse_heredoc_word(script.command)) {
    if (!first.content.starts_with("#!")) {
      script.command = first.content;
      return script;
    }
    script.command = "/dev/pipes/" + first.name;
    script.file = first;
    return script;
  }
  for (const Heredoc& heredoc : command.heredocs) script.command += "\n" + heredoc.as_written() + heredoc.name;
  return script;
}

}  // namespace tektii::dockerfile
