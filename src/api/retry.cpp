#include "api/retry.hpp"

#include <tektii/util/text.hpp>

#include <time.h>

#include <algorithm>

namespace tektii::api {

namespace {

constexpr std::chrono::milliseconds k_first_backoff{500};

std::chrono::milliseconds backoff(int attempt) {
  return k_first_backoff * (1 << std::min(attempt - 1, 6));
}

Decision retry_after(std::chrono::milliseconds wait, int attempt) {
  if (attempt >= k_max_attempts || wait > k_longest_wait) return {Verdict::fail, {}};
  return {Verdict::retry, wait};
}

// 501 and 505 will say the same again.
bool is_passing_failure(int status) {
  return status >= 500 && status != 501 && status != 505;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(const std::optional<std::string>& header,
                                                           std::int64_t now_unix_seconds) {
  if (!header) return std::nullopt;
  const std::string text(trim(*header));
  constexpr std::int64_t k_far = 1'000'000;  // keeps the multiplication from overflowing
  if (const auto seconds = parse_int(text)) {
    if (*seconds < 0) return std::nullopt;
    return std::chrono::seconds(std::min(*seconds, k_far));
  }
  std::tm date{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::int64_t wait = ::timegm(&date) - now_unix_seconds;
  return std::chrono::seconds(std::clamp<std::int64_t>(wait, 0, k_far));
}

Decision decide(int status, std::optional<std::chrono::milliseconds> asked, bool idempotent, int attempt) {
  if (status >= 200 && status < 300) return {Verdict::accept, {}};
  if (status == 429 || (is_passing_failure(status) && idempotent)) {
    return retry_after(asked.value_or(backoff(attempt)), attempt);
  }
  return {Verdict::fail, {}};
}

Decision decide_broken(bool connected, bool idempotent, int attempt) {
  if (connected && !idempotent) return {Verdict::fail, {}};
  return retry_after(backoff(attempt), attempt);
}

}  // namespace tektii::api
