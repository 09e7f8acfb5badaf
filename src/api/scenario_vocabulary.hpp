#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::api {

// Every event that a subscription may name.
const std::vector<std::string>& known_events();

// The event that was probably meant, and nothing when no guess is good.
std::optional<std::string> suggest_event(std::string_view word);

// An instant with its fraction, so that two times within one second still have an order.
struct Instant {
  std::int64_t seconds = 0;
  std::string fraction;  // digits without trailing zeros

  auto operator<=>(const Instant&) const = default;  // NOLINT(modernize-use-nullptr): the 0 it is compared with
};

// RFC 3339; nullopt when the text is none.
std::optional<Instant> parse_instant(std::string_view text);

// A close RFC 3339 form of a text that is none: a date alone, a blank for the 'T', a missing offset.
std::optional<std::string> suggest_instant(std::string_view text);

}  // namespace tektii::api
