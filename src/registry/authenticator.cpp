#include "registry/authenticator.hpp"

#include <tektii/util/text.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tektii::registry {

namespace {

constexpr std::chrono::seconds k_renew_before(30);
constexpr std::uint64_t k_slow_upload = 8 << 20;  // bytes a second that an upload is expected to make at least
constexpr std::size_t k_most_learned = 16;        // scopes of one repository
constexpr std::size_t k_longest_scope = 1024;

// The best scheme that we speak, Bearer before Basic; nullptr when there is none.
const Challenge* choose(const std::vector<Challenge>& challenges) {
  const auto find = [&](auto&& wanted) -> const Challenge* {
    const auto found = std::find_if(challenges.begin(), challenges.end(), wanted);
    return found == challenges.end() ? nullptr : &*found;
  };
  const Challenge* bearer = find([](const Challenge& c) { return c.scheme == "bearer" && !c.param("realm").empty(); });
  return bearer != nullptr ? bearer : find([](const Challenge& c) { return c.scheme == "basic"; });
}

std::string name_of(const AuthSubject& subject) {
  return subject.endpoint.registry + "/" + subject.repository;
}

std::string token_key(const AuthSubject& subject, const Challenge& challenge) {
  // The credentials that buy the token may depend on the repository.
  return join(std::vector<std::string>{subject.endpoint.registry, subject.repository, challenge.param("realm"),
                                       challenge.param("service"), join(subject.scopes, " ")},
              "\n");
}

std::chrono::seconds renewal_margin(const Token& token, std::uint64_t body_size) {
  const std::chrono::seconds transfer(body_size / k_slow_upload);
  return std::min(std::max(k_renew_before, transfer), std::max(k_renew_before, token.life / 2));
}

}  // namespace

std::optional<Credentials> Authenticator::credentials_for(const Endpoint& endpoint, const std::string& repository,
                                                          const std::stop_token& stop) {
  const std::string name = endpoint.registry + "/" + repository;
  const auto known = [&]() -> std::optional<Lookup> {
    const std::lock_guard lock(mutex_);
    const auto found = known_credentials_.find(name);
    if (found == known_credentials_.end()) return std::nullopt;
    const auto& credentials = found->second.credentials;
    if (credentials && credentials->renew_at && *credentials->renew_at <= deps_.clock.now()) return std::nullopt;
    return found->second;
  };
  const auto outcome = [](const Lookup& lookup) {
    if (lookup.error) throw Error(*lookup.error);
    return lookup.credentials;
  };
  if (const auto lookup = known()) return outcome(*lookup);
  return credential_flights_.run(name, stop, [&]() -> std::optional<Credentials> {
    if (const auto lookup = known()) return outcome(*lookup);
    Lookup lookup;
    try {
      lookup.credentials = credentials_.find(endpoint.registry, repository, stop);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      lookup.error = error;
    }
    {
      const std::lock_guard lock(mutex_);
      known_credentials_.insert_or_assign(name, lookup);
    }
    return outcome(lookup);
  });
}

std::optional<std::string> Authenticator::known_user(const Endpoint& endpoint, const std::string& repository) {
  const std::lock_guard lock(mutex_);
  const auto known = known_credentials_.find(endpoint.registry + "/" + repository);
  if (known == known_credentials_.end() || !known->second.credentials) return std::nullopt;
  return known->second.credentials->username;
}

void Authenticator::keep_refresh_token(const std::string& name, const Secret& token) {
  const std::lock_guard lock(mutex_);
  const auto known = known_credentials_.find(name);
  if (known == known_credentials_.end() || !known->second.credentials) return;
  Credentials& credentials = *known->second.credentials;
  // A server that gives out a new one with each answer may take the old one no longer.
  if (!credentials.identity_token.empty()) credentials.identity_token = token;
}

std::optional<Token> Authenticator::cached_token(const std::string& key, std::uint64_t body_size) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(key);
  if (found == tokens_.end()) return std::nullopt;
  const Token& token = found->second;
  if (token.expires - renewal_margin(token, body_size) <= deps_.clock.now()) return std::nullopt;
  return token;
}

Secret Authenticator::bearer_of(const AuthSubject& subject, const Challenge& challenge, const Credentials* credentials,
                                const std::stop_token& stop) {
  const std::string key = token_key(subject, challenge);
  if (auto token = cached_token(key, subject.body_size)) return token->value;
  {
    const std::lock_guard lock(mutex_);
    if (const auto refused = refusals_.find(key); refused != refusals_.end()) throw Error(refused->second);
  }
  const Token token = token_flights_.run(key, stop, [&] {
    // Another flight may have landed between the look into the cache and this one's start.
    if (auto fresh = cached_token(key, subject.body_size)) return *fresh;
    const TokenRequest request{subject.endpoint, challenge.param("realm"), challenge.param("service"), subject.scopes,
                               credentials == nullptr ? std::nullopt : std::optional<Credentials>(*credentials)};
    try {
      Token fetched = fetch_token(deps_, request, stop);
      if (!fetched.refresh_token.empty()) keep_refresh_token(name_of(subject), fetched.refresh_token);
      const std::lock_guard lock(mutex_);
      tokens_.insert_or_assign(key, fetched);
      return fetched;
    } catch (const Error& error) {
      // Every mount of a base layer would ask again. What is for one resource alone has to be had, so it is asked for
      // whenever it is needed.
      if (error.kind() != ErrorKind::interrupted && subject.scopes.size() > 1) {
        const std::lock_guard lock(mutex_);
        refusals_.insert_or_assign(key, error);
      }
      throw;
    }
  });
  return token.value;
}

Secret Authenticator::bearer(const AuthSubject& subject, const Challenge& challenge, const std::stop_token& stop) {
  const auto credentials = credentials_for(subject.endpoint, subject.repository, stop);
  if (credentials && !credentials->registry_token.empty()) return credentials->registry_token;
  AuthSubject wanted{subject.endpoint, subject.repository, wanted_scopes(subject), subject.body_size};
  const Credentials* known = credentials ? &*credentials : nullptr;
  if (wanted.scopes == subject.scopes) return bearer_of(subject, challenge, known, stop);
  try {
    return bearer_of(wanted, challenge, known, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::debug("no token for {}: {}", join(wanted.scopes, " "), error.what());
    const std::lock_guard lock(mutex_);
    learned_.erase(name_of(subject));
    narrow_.insert(name_of(subject));
  }
  return bearer_of(subject, challenge, known, stop);
}

Scopes Authenticator::wanted_scopes(const AuthSubject& subject) {
  Scopes scopes = subject.scopes;
  const std::lock_guard lock(mutex_);
  const auto learned = learned_.find(name_of(subject));
  if (learned == learned_.end()) return scopes;
  for (const std::string& scope : learned->second) widen(scopes, scope);
  return scopes;
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
  const auto credentials = credentials_for(subject.endpoint, subject.repository, stop);
  if (!credentials || credentials->username.empty()) return std::nullopt;
  return basic_authorization(*credentials);
}

bool Authenticator::learn_scopes(const AuthSubject& subject, const Challenge& challenge) {
  const Scopes have = wanted_scopes(subject);
  bool learned_some = false;
  const std::lock_guard lock(mutex_);
  if (narrow_.count(name_of(subject)) > 0) return false;
  Scopes& learned = learned_[name_of(subject)];
  for (const std::string& scope : split(challenge.param("scope"), ' ')) {
    if (scope.empty() || scope.size() > k_longest_scope || covers(have, scope)) continue;
    if (learned.size() == k_most_learned) break;
    widen(learned, scope);
    learned_some = true;
  }
  return learned_some;
}

bool Authenticator::has_other_credentials(const AuthSubject& subject, const Secret& used, const std::stop_token& stop) {
  {
    // Only what changes by itself is worth asking for again.
    const std::lock_guard lock(mutex_);
    const auto known = known_credentials_.find(name_of(subject));
    if (known == known_credentials_.end() || !known->second.credentials) return false;
    if (!known->second.credentials->renew_at) return false;
    known_credentials_.erase(known);
  }
  const auto credentials = credentials_for(subject.endpoint, subject.repository, stop);
  return credentials && basic_authorization(*credentials).reveal() != used.reveal();
}

bool Authenticator::handle_refusal(const AuthSubject& subject, const net::HttpResponse& response,
                                   const std::optional<Secret>& used, const std::stop_token& stop) {
  const auto challenges = parse_challenges(response.all_headers("WWW-Authenticate"));
  const Challenge* chosen = choose(challenges);
  if (chosen == nullptr) return false;
  const bool too_narrow = chosen->scheme == "bearer" && chosen->param("error") == "insufficient_scope";
  // RFC 6750 section 3.1 has 403 for a token that is good but too narrow; any other 403 is the last word.
  if (response.status == 403 && !too_narrow) return false;
  {
    const std::lock_guard lock(mutex_);
    challenges_[subject.endpoint.registry] = *chosen;
    if (used) {
      std::erase_if(tokens_,
                    [&](const auto& entry) { return "Bearer " + entry.second.value.reveal() == used->reveal(); });
    }
  }
  if (chosen->scheme == "basic") {
    if (used && used->reveal().starts_with("Basic ")) return has_other_credentials(subject, *used, stop);
    return credentials_for(subject.endpoint, subject.repository, stop).has_value();
  }
  const bool learned = learn_scopes(subject, *chosen);
  if (!used || !used->reveal().starts_with("Bearer ")) return true;
  // The token server grants less than it is asked for; the same question has the same answer.
  if (too_narrow && !learned) return false;
  const auto credentials = credentials_for(subject.endpoint, subject.repository, stop);
  return !credentials || credentials->registry_token.empty();
}

}  // namespace tektii::registry
