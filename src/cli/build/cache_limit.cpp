#include "cli/build/cache_limit.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

namespace tektii::cli {

namespace {

constexpr const char* k_variable = "TEKTII_CACHE_LIMIT";

// Takes a number that is not negative off the front.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (result.ec != std::errc() || !(value >= 0) || text.starts_with('-') || std::isinf(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return value;
}

std::optional<double> factor_of(std::string unit) {
  double base = 1000;
  if (unit.ends_with("ib")) {
    base = 1024;
    unit.resize(unit.size() - 2);
    if (unit.empty()) return std::nullopt;
  } else if (unit.ends_with('b')) {
    unit.pop_back();
  }
  if (unit.empty()) return 1;
  const auto power = std::string_view("kmgt").find(unit);
  if (unit.size() != 1 || power == std::string_view::npos) return std::nullopt;
  return std::pow(base, static_cast<double>(power) + 1);
}

std::optional<std::int64_t> seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 24 * 3600;
    case 'w':
      return 7 * 24 * 3600;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  text = trim(text);
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  const auto factor = factor_of(to_lower(trim(text)));
  constexpr double k_largest = 9e18;
  if (!factor || *number * *factor > k_largest) return std::nullopt;
  return static_cast<std::uint64_t>(*number * *factor);
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = text.empty() ? std::nullopt : seconds_of(text.front());
    if (!number || !unit) return std::nullopt;
    text.remove_prefix(1);
    total += *number * static_cast<double>(*unit);
  }
  constexpr double k_longest = 100.0 * 366 * 24 * 3600;  // a hundred years, which times can be compared with
  if (total > k_longest) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(total));
}

std::optional<store::CacheLimit> parse_cache_limit(std::string_view text) {
  using Kind = store::CacheLimit::Kind;
  text = trim(text);
  if (text.empty()) return store::CacheLimit{};
  if (to_lower(text) == "off") return store::CacheLimit{Kind::off, 0};
  if (text.ends_with('%')) {
    const auto percent = parse_int(text.substr(0, text.size() - 1));
    if (!percent || *percent < 1 || *percent > 100) return std::nullopt;
    return store::CacheLimit{Kind::percent, static_cast<std::uint64_t>(*percent)};
  }
  const auto size = parse_size(text);
  if (!size) return std::nullopt;
  return store::CacheLimit{*size == 0 ? Kind::off : Kind::bytes, *size};
}

store::CacheLimit configured_cache_limit() {
  const char* value = std::getenv(k_variable);
  const auto limit = parse_cache_limit(value == nullptr ? "" : value);
  if (limit) return *limit;
  throw Error(ErrorKind::usage, fmt::format("{}={}: this is no limit", k_variable, escape_control(value)))
      .add_hint("use a size such as 20GB, a share of the disk such as 10%, or off");
}

}  // namespace tektii::cli
