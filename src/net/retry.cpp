#include <tektii/net/retry.hpp>
#include <tektii/util/text.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tektii::net {

StatusClass classify(int status, std::string_view body) {
  if (status >= 200 && status < 300) return StatusClass::ok;
  if (status == 401) return StatusClass::auth;
  switch (status) {
    case 408:  // request timeout
    case 429:  // too many requests
    case 499:  // distribution: the client's connection broke
    case 500:
    case 502:
    case 503:
    case 504:
    case 522:  // Cloudflare: the origin did not answer
      return StatusClass::retry_after;
    default:
      break;
  }
  if (status >= 400 && status < 500) {
    const bool overload = body.find("TOOMANYREQUESTS") != std::string_view::npos ||
                          body.find("<Code>RequestTimeout</Code>") != std::string_view::npos;
    if (overload) return StatusClass::retry_after;
  }
  return StatusClass::fatal;
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response) {
  const auto value = response.header("Retry-After");
  if (!value) return std::nullopt;
  const auto seconds = parse_int(trim(*value));
  if (!seconds || *seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min<std::int64_t>(*seconds, 1'000'000'000));
}

Backoff::Backoff(const RetryPolicy& policy, Clock& clock)
    : policy_(policy), clock_(clock), delay_(policy.first_delay), random_(std::random_device{}()) {}

bool Backoff::next_attempt(const std::stop_token& stop, std::optional<std::chrono::seconds> server_delay) {
  throw_if_stopped(stop);
  if (attempts_made_ >= policy_.attempts) return false;
  if (server_delay && *server_delay > policy_.max_retry_after) return false;
  auto pause = jittered(delay_);
  if (server_delay) pause = std::max<std::chrono::milliseconds>(pause, *server_delay);
  delay_ = std::min(delay_ * 2, policy_.max_delay);
  ++attempts_made_;
  spdlog::debug("attempt {} of {} in {} ms", attempts_made_, policy_.attempts, pause.count());
  clock_.sleep_for(pause, stop);
  throw_if_stopped(stop);
  return true;
}

std::chrono::milliseconds Backoff::jittered(std::chrono::milliseconds delay) {
  const auto quarter = delay.count() / 4;
  std::uniform_int_distribution<std::chrono::milliseconds::rep> spread(-quarter, quarter);
  return delay + std::chrono::milliseconds(spread(random_));
}

}  // namespace tektii::net
