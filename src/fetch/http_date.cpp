#include <tektii/fetch/http_fetcher.hpp>
#include <tektii/util/text.hpp>

#include <time.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tektii::fetch {

namespace {

constexpr std::array<std::string_view, 12> k_months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view text, std::int64_t lowest, std::int64_t highest) {
  const auto value = parse_int(text);
  if (!value || *value < lowest || *value > highest) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<std::int64_t> combine(std::string_view day, std::string_view month, std::string_view year,
                                    std::string_view clock) {
  const auto* found = std::find(k_months.begin(), k_months.end(), month);
  const auto fields = split(clock, ':');
  const auto month_day = number(day, 1, 31);
  auto full_year = number(year, 0, 9999);
  if (found == k_months.end() || fields.size() != 3 || !month_day || !full_year) return std::nullopt;
  // RFC 850 has two digits; RFC 9110 takes a year of the last fifty for one more than fifty years ahead.
  if (year.size() == 2) *full_year += *full_year < 70 ? 2000 : 1900;
  const auto hours = number(fields[0], 0, 23);
  const auto minutes = number(fields[1], 0, 59);
  const auto seconds = number(fields[2], 0, 60);
  if (!hours || !minutes || !seconds) return std::nullopt;
  tm parts{};
  parts.tm_year = *full_year - 1900;
  parts.tm_mon = static_cast<int>(found - k_months.begin());
  parts.tm_mday = *month_day;
  parts.tm_hour = *hours;
  parts.tm_min = *minutes;
  parts.tm_sec = *seconds;
  return ::timegm(&parts);
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  std::vector<std::string> words;
  for (auto& word : split(trim(text), ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (words.size() == 6 && words[5] == "GMT") return combine(words[1], words[2], words[3], words[4]);
  // Sunday, 06-Nov-94 08:49:37 GMT
  if (words.size() == 4 && words[3] == "GMT") {
    const auto date = split(words[1], '-');
    if (date.size() == 3) return combine(date[0], date[1], date[2], words[2]);
  }
  // Sun Nov  6 08:49:37 1994
  if (words.size() == 5) return combine(words[2], words[1], words[4], words[3]);
  return std::nullopt;
}

}  // namespace tektii::fetch
