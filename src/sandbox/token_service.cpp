#include "sandbox/token_service.hpp"

#include "sandbox/random.hpp"
#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::sandbox {
namespace {

constexpr std::size_t k_token_bytes = 32;
constexpr std::string_view k_access_token_user = "oauth2accesstoken";
constexpr std::string_view k_key_user = "tektii";

template <typename Map, typename TimePoint>
void drop_expired_of(Map& map, TimePoint now) {
  std::erase_if(map, [now](const auto& entry) { return entry.second.expires <= now; });
}

}  // namespace

std::optional<Scope> Scope::parse(std::string_view text) {
  // The name may hold a ':' (a registry's port); type and actions don't.
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  Scope scope;
  scope.type = text.substr(0, first);
  scope.name = text.substr(first + 1, last - first - 1);
  for (const std::string& action : split(text.substr(last + 1), ',')) scope.actions.insert(action);
  return scope;
}

TokenService::TokenService(Secret api_key, std::chrono::seconds lifetime)
    : api_key_(std::move(api_key)), lifetime_(lifetime) {}

std::string TokenService::issue_access_token(const std::string& repository) {
  std::string token = random_hex(k_token_bytes);
  const std::lock_guard lock(mutex_);
  drop_expired();
  access_tokens_[token] = {repository, Clock::now() + lifetime_};
  return token;
}

std::optional<BearerToken> TokenService::exchange(const BasicCredentials& credentials,
                                                  const std::vector<Scope>& scopes) {
  const std::lock_guard lock(mutex_);
  drop_expired();
  const auto now = Clock::now();
  Grant grant{{}, now + lifetime_};
  if (credentials.user == k_key_user && equals_secret(credentials.password.reveal(), api_key_)) {
    grant.scopes = scopes;
  } else if (credentials.user == k_access_token_user) {
    const auto found = access_tokens_.find(credentials.password.reveal());
    if (found == access_tokens_.end()) return std::nullopt;
    grant.expires = found->second.expires;
    for (Scope scope : scopes) {
      if (scope.type != "repository" || scope.name != found->second.repository) continue;
      std::erase_if(scope.actions, [](const std::string& action) { return action != "pull" && action != "push"; });
      grant.scopes.push_back(std::move(scope));
    }
  } else {
    return std::nullopt;
  }
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(grant.expires - now);
  std::string token = random_hex(k_token_bytes);
  grants_[token] = std::move(grant);
  return BearerToken{std::move(token), left};
}

Access TokenService::check(std::string_view authorization, std::string_view type, std::string_view name,
                           std::string_view action) const {
  if (authorization.empty()) return Access::no_token;
  const auto token = parse_bearer(authorization);
  if (!token) return Access::invalid_token;
  const std::lock_guard lock(mutex_);
  const auto found = grants_.find(*token);
  if (found == grants_.end() || found->second.expires <= Clock::now()) return Access::invalid_token;
  if (action.empty()) return Access::granted;
  const auto& scopes = found->second.scopes;
  const bool allowed = std::any_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
    return scope.type == type && scope.name == name && scope.actions.contains(std::string(action));
  });
  return allowed ? Access::granted : Access::insufficient_scope;
}

void TokenService::drop_expired() {
  const auto now = Clock::now();
  drop_expired_of(access_tokens_, now);
  drop_expired_of(grants_, now);
}

}  // namespace tektii::sandbox
