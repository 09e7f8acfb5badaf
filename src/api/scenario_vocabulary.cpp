#include "api/scenario_vocabulary.hpp"

#include <tektii/util/clock.hpp>
#include <tektii/util/text.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tektii::api {

namespace {

constexpr std::array k_granularities = {"1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "12h", "1d", "1w"};
constexpr std::array k_updates = {"order_update", "position_update", "account_update", "trade_update"};

// Other common spellings of a granularity.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> k_granularity_aliases = {{{"60m", "1h"},
                                                                                                 {"120m", "2h"},
                                                                                                 {"240m", "4h"},
                                                                                                 {"24h", "1d"},
                                                                                                 {"7d", "1w"},
                                                                                                 {"daily", "1d"},
                                                                                                 {"hourly", "1h"},
                                                                                                 {"weekly", "1w"}}};

bool is_known(const std::string& event) {
  return std::find(known_events().begin(), known_events().end(), event) != known_events().end();
}

// "5min", "1hour", "m5" and the like, in the API's form.
std::string normalise_granularity(std::string text) {
  for (const auto& alias : k_granularity_aliases) {
    if (text == alias.first) return std::string(alias.second);
  }
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits != 0 && digits != std::string::npos) return text.substr(0, digits + 1);
  if (digits == 0 && text.size() > 1) return text.substr(1) + text.front();
  return text;
}

}  // namespace

const std::vector<std::string>& known_events() {
  static const std::vector<std::string> events = [] {
    std::vector<std::string> all;
    for (const char* granularity : k_granularities) all.push_back(std::string("candle_") + granularity);
    all.insert(all.end(), k_updates.begin(), k_updates.end());
    return all;
  }();
  return events;
}

std::optional<std::string> suggest_event(std::string_view word) {
  std::string text = to_lower(trim(word));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '-' || c == ' ' || c == '.'; }, '_');
  if (is_known(text)) return text;
  if (is_known(text + "_update")) return text + "_update";
  std::string granularity = text;
  for (const std::string_view prefix : {"candles_", "candle_", "candle", "bar_", "ohlc_"}) {
    if (text.starts_with(prefix)) {
      granularity = text.substr(prefix.size());
      break;
    }
  }
  const std::string candle = "candle_" + normalise_granularity(granularity);
  if (is_known(candle)) return candle;
  return closest_match(text, known_events());
}

std::optional<Instant> parse_instant(std::string_view text) {
  const std::optional<std::int64_t> seconds = parse_rfc3339(text);
  if (!seconds) return std::nullopt;
  Instant instant{*seconds, {}};
  const std::size_t point = text.find('.');
  if (point != std::string_view::npos) {
    const std::size_t end = text.find_first_not_of("0123456789", point + 1);
    instant.fraction = text.substr(point + 1, end == std::string_view::npos ? end : end - point - 1);
    instant.fraction.erase(instant.fraction.find_last_not_of('0') + 1);
  }
  return instant;
}

std::optional<std::string> suggest_instant(std::string_view text) {
  std::string candidate(trim(text));
  constexpr std::size_t k_date_length = 10;  // "2024-01-15"
  std::replace(candidate.begin(), candidate.end(), '/', '-');
  if (candidate.size() > k_date_length && candidate[k_date_length] == ' ') candidate[k_date_length] = 'T';
  for (const std::string_view tail : {"", "Z", ":00Z", "T00:00:00Z"}) {
    const std::string attempt = candidate + std::string(tail);
    if (parse_rfc3339(attempt)) return attempt;
  }
  return std::nullopt;
}

}  // namespace tektii::api
