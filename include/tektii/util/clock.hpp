#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii {

// The seam for time: real in the product, a fake in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::system_clock::time_point now() const = 0;
  // Returns early when a stop is requested; true when the whole time passed.
  virtual bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

class SystemClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override;
  bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) override;
};

// RFC 3339 in UTC without fraction: "2024-01-15T10:30:00Z".
std::string format_rfc3339(std::int64_t unix_seconds);

// Accepts RFC 3339 with offset and fraction (the fraction is dropped); nullopt when it is not one.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace tektii
