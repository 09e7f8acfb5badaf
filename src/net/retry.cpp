#include <tektii/net/retry.hpp>
#include <tektii/util/text.hpp>

#include <curl/curl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

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

namespace {

constexpr std::int64_t k_longest_delay = 1'000'000'000;
// What one attempt that came to nothing takes out of a budget at most: it may have moved gigabytes before it broke.
constexpr std::chrono::seconds k_longest_loss(60);

// RFC 9110 section 5.6.7, in all three forms.
std::optional<std::int64_t> parse_http_date(const std::string& text) {
  const auto seconds = curl_getdate(text.c_str(), nullptr);
  if (seconds == -1) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

}  // namespace

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response,
                                                std::chrono::system_clock::time_point now) {
  const auto value = response.header("Retry-After");
  if (!value) return std::nullopt;
  const std::string text(trim(*value));
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
    const auto seconds = parse_int(text).value_or(k_longest_delay);  // more digits than fit
    return std::chrono::seconds(std::min(seconds, k_longest_delay));
  }
  // A date has a letter; libcurl would also take "-5" for one.
  const bool has_letter = std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const auto date = has_letter ? parse_http_date(text) : std::nullopt;
  if (!date) return std::nullopt;
  const auto servers_now = parse_http_date(response.header("Date").value_or(""));
  const auto from =
      servers_now.value_or(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  return std::chrono::seconds(std::clamp<std::int64_t>(*date - from, 0, k_longest_delay));
}

bool RetryBudget::take(TimePoint begin, TimePoint end) {
  const std::lock_guard lock(mutex_);
  const auto from = std::max(begin, taken_until_);
  if (end <= from) return true;
  // A part of a millisecond is one.
  const auto time = std::chrono::ceil<std::chrono::milliseconds>(end - from);
  if (spent_ + time > limit_) return false;
  spent_ += time;
  taken_until_ = end;
  return true;
}

std::chrono::milliseconds RetryBudget::spent() const {
  const std::lock_guard lock(mutex_);
  return spent_;
}

Backoff::Backoff(const RetryPolicy& policy, Clock& clock, RetryBudget* budget, OnPause on_pause)
    : policy_(policy),
      clock_(clock),
      budget_(budget),
      on_pause_(std::move(on_pause)),
      began_(clock.now()),
      attempt_began_(began_),
      delay_(policy.first_delay),
      random_(std::random_device{}()) {}

bool Backoff::next_attempt(const std::stop_token& stop, std::optional<std::chrono::seconds> server_delay) {
  throw_if_stopped(stop);
  if (policy_.attempts > 0 && attempts_made_ >= policy_.attempts) return false;
  if (budget_ == nullptr && server_delay && *server_delay > policy_.max_retry_after) return false;
  auto pause = jittered(delay_);
  if (server_delay) pause = std::max<std::chrono::milliseconds>(pause, *server_delay);
  const auto now = clock_.now();
  const auto lost_from = std::max(attempt_began_, now - k_longest_loss);
  if (budget_ != nullptr && !budget_->take(lost_from, now + pause)) return false;
  delay_ = std::min(delay_ * 2, policy_.max_delay);
  ++attempts_made_;
  spdlog::debug("attempt {} in {} ms", attempts_made_, pause.count());
  if (on_pause_) on_pause_(pause);
  clock_.sleep_for(pause, stop);
  throw_if_stopped(stop);
  attempt_began_ = clock_.now();
  return true;
}

void Backoff::progressed() {
  attempt_began_ = clock_.now();
  delay_ = policy_.first_delay;
}

std::chrono::milliseconds Backoff::tried_for() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - began_);
}

std::chrono::milliseconds Backoff::jittered(std::chrono::milliseconds delay) {
  const auto quarter = delay.count() / 4;
  std::uniform_int_distribution<std::chrono::milliseconds::rep> spread(-quarter, quarter);
  return delay + std::chrono::milliseconds(spread(random_));
}

}  // namespace tektii::net
