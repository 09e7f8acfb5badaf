#pragma once

#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
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

// Retry-After in its seconds form; nullopt when the header is missing or is anything else.
std::optional<std::chrono::seconds> retry_after(const HttpResponse& response);

struct RetryPolicy {
  int attempts = 3;  // all in all, the first one included
  std::chrono::milliseconds first_delay{500};
  std::chrono::milliseconds max_delay{8000};
  std::chrono::milliseconds max_retry_after{30000};  // a server that asks for more is not waited for
};

// The pauses between the attempts of one request: doubling, with a jitter of a quarter either way.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, Clock& clock);

  // Call after a failed attempt. False when no attempt is left, or when `server_delay` is longer than the policy waits.
  // Throws Error{interrupted} when a stop is requested meanwhile.
  bool next_attempt(const std::stop_token& stop, std::optional<std::chrono::seconds> server_delay = std::nullopt);
  int attempts_made() const { return attempts_made_; }

 private:
  std::chrono::milliseconds jittered(std::chrono::milliseconds delay);

  RetryPolicy policy_;
  Clock& clock_;
  int attempts_made_ = 1;
  std::chrono::milliseconds delay_;
  std::minstd_rand random_;
};

}  // namespace tektii::net
