#include "registry/attempts.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::registry {

namespace {

// For a registry that was not reached at all: its name may be wrong, and then nobody wants to wait for minutes.
constexpr int k_first_contacts = 3;

}  // namespace

void RetryState::note_answer(const std::string& registry) {
  const std::lock_guard lock(mutex_);
  answered_.insert(registry);
}

bool RetryState::has_answered(const std::string& registry) const {
  const std::lock_guard lock(mutex_);
  return answered_.count(registry) > 0;
}

Attempts::Attempts(RetryState& state, std::string registry)
    : state_(state),
      registry_(std::move(registry)),
      backoff_(state.policy, state.clock, &state.budget, [this](std::chrono::milliseconds pause) {
        if (state_.on_wait) state_.on_wait({registry_, pause, reason_, asked_});
      }) {}

bool Attempts::again(const net::HttpResponse& response, const std::stop_token& stop) {
  if (net::classify(response.status, response.body) != net::StatusClass::retry_after) return false;
  return wait(fmt::format("{}", response.status), net::retry_after(response, state_.clock.now()), stop);
}

bool Attempts::again(const net::TransportError& error, const std::stop_token& stop) {
  if (error.is_final()) return false;
  const bool never_there = !error.connected() && !state_.has_answered(registry_);
  if (never_there && backoff_.attempts_made() >= k_first_contacts) return false;
  return wait(error.message(), std::nullopt, stop);
}

bool Attempts::wait(std::string reason, std::optional<std::chrono::seconds> asked, const std::stop_token& stop) {
  reason_ = std::move(reason);
  asked_ = asked && asked->count() > 0;
  return backoff_.next_attempt(stop, asked);
}

void Attempts::note(net::HttpResponse& response) const {
  response.attempts = backoff_.attempts_made();
  response.tried_for = backoff_.tried_for();
}

void Attempts::explain(Error& error) const {
  if (backoff_.attempts_made() > 1) {
    error.add_hint(describe_attempts(backoff_.attempts_made(), backoff_.tried_for()));
  }
}

std::string describe_attempts(int attempts, std::chrono::milliseconds took) {
  return fmt::format("tried {} times in {}; --retry-timeout sets how much time a run may lose to failures", attempts,
                     format_duration(took.count()));
}

}  // namespace tektii::registry
