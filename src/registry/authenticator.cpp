#include "registry/authenticator.hpp"

#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::registry {

namespace {

constexpr std::chrono::seconds k_renew_before(30);

// The best scheme that we speak, Bearer before Basic; nullptr when there is none.
const Challenge* choose(const std::vector<Challenge>& challenges) {
  const auto find = [&](auto&& wanted) -> const Challenge* {
    const auto found = std::find_if(challenges.begin(), challenges.end(), wanted);
    return found == challenges.end() ? nullptr : &*found;
  };
  const Challenge* bearer = find([](const Challenge& c) { return c.scheme == "bearer" && !c.param("realm").empty(); });
  return bearer != nullptr ? bearer : find([](const Challenge& c) { return c.scheme == "basic"; });
}

std::string token_key(const AuthSubject& subject, const Challenge& challenge) {
  // The credentials that buy the token may depend on the repository.
  return join(std::vector<std::string>{subject.endpoint.registry, subject.repository, challenge.param("realm"),
                                       challenge.param("service"), join(subject.scopes, " ")},
              "\n");
}

}  // namespace

std::optional<Credentials> Authenticator::credentials_for(const Endpoint& endpoint, const std::string& repository) {
  const std::lock_guard lock(credentials_mutex_);
  const std::string key = endpoint.registry + "/" + repository;
  const auto known = known_credentials_.find(key);
  if (known != known_credentials_.end()) return known->second;
  return known_credentials_[key] = credentials_.find(endpoint.registry, repository);
}

std::optional<std::string> Authenticator::known_user(const Endpoint& endpoint, const std::string& repository) {
  const std::lock_guard lock(credentials_mutex_);
  const auto known = known_credentials_.find(endpoint.registry + "/" + repository);
  if (known == known_credentials_.end() || !known->second) return std::nullopt;
  return known->second->username;
}

std::optional<Token> Authenticator::cached_token(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(key);
  if (found == tokens_.end() || found->second.expires - k_renew_before <= deps_.clock.now()) return std::nullopt;
  return found->second;
}

Secret Authenticator::bearer(const AuthSubject& subject, const Challenge& challenge, const std::stop_token& stop) {
  auto credentials = credentials_for(subject.endpoint, subject.repository);
  if (credentials && !credentials->registry_token.empty()) return credentials->registry_token;
  const std::string key = token_key(subject, challenge);
  if (auto token = cached_token(key)) return token->value;
  const Token token = token_flights_.run(key, stop, [&] {
    // Another flight may have landed between the look into the cache and this one's start.
    if (auto fresh = cached_token(key)) return *fresh;
    const TokenRequest request{subject.endpoint, challenge.param("realm"), challenge.param("service"), subject.scopes,
                               credentials};
    Token fetched = fetch_token(deps_, request, stop);
    const std::lock_guard lock(mutex_);
    tokens_[key] = fetched;
    return fetched;
  });
  return token.value;
}

std::optional<Secret> Authenticator::authorization(const AuthSubject& subject, const std::stop_token& stop) {
  Challenge challenge;
  {
    const std::lock_guard lock(mutex_);
    const auto found = challenges_.find(subject.endpoint.registry);
    if (found == challenges_.end()) return std::nullopt;
    challenge = found->second;
  }
  if (challenge.scheme == "bearer") return Secret("Bearer " + bearer(subject, challenge, stop).reveal());
  const auto credentials = credentials_for(subject.endpoint, subject.repository);
  if (!credentials || credentials->username.empty()) return std::nullopt;
  return basic_authorization(*credentials);
}

bool Authenticator::handle_refusal(AuthSubject& subject, const net::HttpResponse& response,
                                   const std::optional<Secret>& used) {
  const auto challenges = parse_challenges(response.all_headers("WWW-Authenticate"));
  const Challenge* chosen = choose(challenges);
  if (chosen == nullptr) return false;
  const bool was_basic = used && used->reveal().starts_with("Basic ");
  {
    const std::lock_guard lock(mutex_);
    challenges_[subject.endpoint.registry] = *chosen;
    if (used) {
      std::erase_if(tokens_,
                    [&](const auto& entry) { return "Bearer " + entry.second.value.reveal() == used->reveal(); });
    }
  }
  if (chosen->scheme == "basic") return !was_basic && credentials_for(subject.endpoint, subject.repository).has_value();
  for (const std::string& scope : split(chosen->param("scope"), ' ')) {
    if (!scope.empty() && !covers(subject.scopes, scope)) subject.scopes.push_back(scope);
  }
  return true;
}

}  // namespace tektii::registry
