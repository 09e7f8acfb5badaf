#pragma once

#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string_view>

namespace tektii::net {

// What an answer means for the caller's next move.
enum class StatusClass {
  ok,           // 2xx
  retry_after,  // the server may answer otherwise later
  auth,         // 401: credentials are missing or no longer good
  fatal,        // asking again would give the same
};

// Pure. 3xx is fatal here: redirects are followed before anybody classifies. The body tells overload apart from refusal
// where servers use a 4xx for both (TOOMANYREQUESTS of the distribution spec, RequestTimeout of S3).
StatusClass classify(int status, std::string_view body);

// Retry-After in both forms (RFC 9110 section 10.2.3); nullopt when the header is missing or is anything else. A date
// is counted from the answer's own Date, else from `now`; one that has passed is 0. At most 10^9 s.
std::optional<std::chrono::seconds> retry_after(
    const HttpResponse& response, std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

struct RetryPolicy {
  int attempts = 3;  // all in all, the first one included; 0: as many as a RetryBudget allows
  std::chrono::milliseconds first_delay{500};
  std::chrono::milliseconds max_delay{8000};
  std::chrono::milliseconds max_retry_after{30000};  // a server that asks for more is not waited for
};

// The time that all requests of one run together may lose to failures: attempts that came to nothing and the pauses
// after them. What several requests lose at the same time counts once. Thread-safe.
class RetryBudget {
 public:
  using TimePoint = std::chrono::system_clock::time_point;

  explicit RetryBudget(std::chrono::milliseconds limit) : limit_(limit) {}

  // Takes the time between the two out of the budget. False, and nothing is taken, when there is not so much left.
  bool take(TimePoint begin, TimePoint end);
  std::chrono::milliseconds limit() const { return limit_; }
  std::chrono::milliseconds spent() const;

 private:
  std::chrono::milliseconds limit_;
  mutable std::mutex mutex_;
  std::chrono::milliseconds spent_{0};
  TimePoint taken_until_{};
};

// The pauses between the attempts of one request: doubling, with a jitter of a quarter either way.
class Backoff {
 public:
  // Told of each pause before it begins.
  using OnPause = std::function<void(std::chrono::milliseconds pause)>;

  // With a budget (not owned) a server is waited for as long as that allows, whatever the policy says.
  Backoff(const RetryPolicy& policy, Clock& clock, RetryBudget* budget = nullptr, OnPause on_pause = {});

  // Call after a failed attempt. False when no attempt is left, or when `server_delay` is longer than the policy waits,
  // or the budget does not allow the pause. Throws Error{interrupted} when a stop is requested meanwhile.
  bool next_attempt(const std::stop_token& stop, std::optional<std::chrono::seconds> server_delay = std::nullopt);
  // The attempt that is under way got somewhere: its time is not lost, and the pauses begin small again.
  void progressed();
  int attempts_made() const { return attempts_made_; }
  std::chrono::milliseconds tried_for() const;

 private:
  std::chrono::milliseconds jittered(std::chrono::milliseconds delay);

  RetryPolicy policy_;
  Clock& clock_;
  RetryBudget* budget_;
  OnPause on_pause_;
  std::chrono::system_clock::time_point began_;
  std::chrono::system_clock::time_point attempt_began_;
  int attempts_made_ = 1;
  std::chrono::milliseconds delay_;
  std::minstd_rand random_;
};

}  // namespace tektii::net
