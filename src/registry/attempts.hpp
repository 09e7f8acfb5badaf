#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

namespace tektii::registry {

// What all requests of one client share about failures. Thread-safe.
struct RetryState {
  using OnWait = std::function<void(const WaitNotice& notice)>;
  RetryState(Clock& used_clock, const net::RetryPolicy& used_policy, std::chrono::milliseconds limit, OnWait told)
      : clock(used_clock), policy(used_policy), budget(limit), on_wait(std::move(told)) {}

  Clock& clock;
  net::RetryPolicy policy;
  net::RetryBudget budget;
  OnWait on_wait;

  // Registries that have answered in this run.
  void note_answer(const std::string& registry);
  bool has_answered(const std::string& registry) const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string> answered_;
};

// The attempts at one thing, with pauses between them, until the time is used up that the whole run may lose to
// failures.
class Attempts {
 public:
  Attempts(RetryState& state, std::string registry);
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  // Waits after an answer or a broken connection; false when there is to be no other attempt: such answers are final,
  // or the time is used up. Throws Error{interrupted} on a stop.
  bool again(const net::HttpResponse& response, const std::stop_token& stop);
  bool again(const net::TransportError& error, const std::stop_token& stop);
  // See Backoff.
  void progressed() { backoff_.progressed(); }

  // Notes on what was the last answer, or adds to what was the last failure, what was tried.
  void note(net::HttpResponse& response) const;
  void explain(Error& error) const;

 private:
  bool wait(std::string reason, std::optional<std::chrono::seconds> asked, const std::stop_token& stop);

  RetryState& state_;
  std::string registry_;
  std::string reason_;
  bool asked_ = false;
  net::Backoff backoff_;
};

// The hint for whatever was tried several times: "tried 12 times in 4m 58s ...".
std::string describe_attempts(int attempts, std::chrono::milliseconds took);

}  // namespace tektii::registry
