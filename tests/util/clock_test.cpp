#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace tektii {
namespace {

using namespace std::chrono_literals;

TEST(Clock, FormatsRfc3339) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(1705314600), "2024-01-15T10:30:00Z");
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_THROW(format_rfc3339(INT64_MAX), Error);
  EXPECT_THROW(format_rfc3339(INT64_MIN), Error);
}

TEST(Clock, ParsesRfc3339) {
  const std::vector<std::pair<std::string, std::int64_t>> good = {
      {"2024-01-15T10:30:00Z", 1705314600},      {"2024-01-15T10:30:00.999999999Z", 1705314600},
      {"2024-01-15T12:30:00+02:00", 1705314600}, {"2024-01-15T05:00:00-05:30", 1705314600},
      {"2024-02-29t00:00:00z", 1709164800},      {"0001-01-01T00:00:00Z", -62135596800},
      {"2016-12-31T23:59:60Z", 1483228800},
  };
  for (const auto& [text, seconds] : good) EXPECT_EQ(parse_rfc3339(text), seconds) << text;
}

TEST(Clock, RefusesWhatIsNotRfc3339) {
  for (const auto* text :
       {"", "2024-01-15", "2024-01-15T10:30:00", "2024-01-15 10:30:00Z", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
        "2024-01-15T24:00:00Z", "2024-01-15T10:60:00Z", "2024-01-15T10:30:00.Z", "2024-01-15T10:30:00+2:00",
        "2024-01-15T10:30:00Zx", "24-01-15T10:30:00Z", "2024-01-15T10:30:00+24:00"})
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

TEST(Clock, SleepEndsEarlyOnStop) {
  SystemClock clock;
  EXPECT_TRUE(clock.sleep_for(1ms, {}));
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(clock.sleep_for(60s, stop.get_token()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

}  // namespace
}  // namespace tektii
