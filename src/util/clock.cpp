#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

namespace tektii {

namespace {

// Takes `count` decimal digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_any_of(std::string_view& text, std::string_view choices) {
  if (text.empty() || choices.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of "YYYY-MM-DD".
std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_any_of(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take_any_of(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// Seconds of "hh:mm:ss" with an optional fraction, which is dropped. Second 60 is a leap second (RFC 3339 section 5.6).
std::optional<std::int64_t> take_time(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take_any_of(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take_any_of(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  if (take_any_of(text, ".")) {
    if (!take_digits(text, 1)) return std::nullopt;
    while (take_digits(text, 1)) {
    }
  }
  return std::int64_t{*hour} * 3600 + *minute * 60 + *second;
}

std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take_any_of(text, "Zz")) return 0;
  const bool negative = !text.empty() && text.front() == '-';
  if (!take_any_of(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || !take_any_of(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = std::int64_t{*hours} * 3600 + *minutes * 60;
  return negative ? -seconds : seconds;
}

}  // namespace

std::chrono::system_clock::time_point SystemClock::now() const {
  return std::chrono::system_clock::now();
}

bool SystemClock::sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

std::string format_rfc3339(std::int64_t unix_seconds) {
  // 0000-01-01 to 9999-12-31: what four digits of a year can say.
  if (unix_seconds < -62167219200 || unix_seconds > 253402300799)
    throw Error(ErrorKind::failure, fmt::format("the time {} does not fit into a date", unix_seconds));
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take_any_of(text, "Tt")) return std::nullopt;
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return std::int64_t{date->time_since_epoch().count()} * 86400 + *time - *offset;
}

}  // namespace tektii
