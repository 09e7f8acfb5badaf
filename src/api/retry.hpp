#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tektii::api {

// How often a call is sent at most, and the longest wait that a server may ask for.
inline constexpr int k_max_attempts = 4;
inline constexpr std::chrono::milliseconds k_longest_wait{60000};

enum class Verdict { accept, retry, fail };

struct Decision {
  Verdict verdict = Verdict::fail;
  std::chrono::milliseconds wait{0};  // before the next attempt; retry only
};

// The wait that a Retry-After header asks for: seconds or an HTTP date (RFC 9110, 10.2.3); nullopt when it is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(const std::optional<std::string>& header,
                                                           std::int64_t now_unix_seconds);

// What to do after an answer. `attempt` counts from 1. A 429 was not acted on, so any call may be sent again; a 5xx may
// have been, so only an idempotent one is. A wait beyond k_longest_wait is left to the user.
Decision decide(int status, std::optional<std::chrono::milliseconds> retry_after, bool idempotent, int attempt);

// What to do after a connection that failed or broke. Once it was made the server may have acted on the request, also
// when no byte of a response arrived: a call that is not idempotent is sent again only when it was never made.
Decision decide_broken(bool connected, bool idempotent, int attempt);

}  // namespace tektii::api
