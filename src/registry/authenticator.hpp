#pragma once

#include "registry/challenge.hpp"
#include "registry/scope.hpp"
#include "registry/token.hpp"
#include <tektii/net/http.hpp>
#include <tektii/registry/credentials.hpp>
#include <tektii/util/single_flight.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::registry {

// What a request is sent for; decides which token it carries.
struct AuthSubject {
  const Endpoint& endpoint;
  const std::string& repository;
  Scopes scopes;
};

// Remembers what each registry asked for and the tokens it gave. Thread-safe; each (realm, service, scopes) is fetched
// by one thread while the others that need it wait.
class Authenticator {
 public:
  Authenticator(TokenDeps deps, CredentialSource& credentials) : deps_(deps), credentials_(credentials) {}

  // The Authorization to send: nullopt before the registry has asked for one, or when it wants Basic and there are no
  // credentials. A token that ends within 30 s is renewed first.
  std::optional<Secret> authorization(const AuthSubject& subject, const std::stop_token& stop);

  // Takes a 401 in: learns the challenge, forgets the token that was refused, adds scopes that the challenge names to
  // the subject. False when another try can't go better.
  bool handle_refusal(AuthSubject& subject, const net::HttpResponse& response, const std::optional<Secret>& used);

  // Who the registry was told that we are, as far as credentials were looked up.
  std::optional<std::string> known_user(const Endpoint& endpoint, const std::string& repository);

 private:
  std::optional<Credentials> credentials_for(const Endpoint& endpoint, const std::string& repository);
  Secret bearer(const AuthSubject& subject, const Challenge& challenge, const std::stop_token& stop);
  std::optional<Token> cached_token(const std::string& key);

  TokenDeps deps_;
  CredentialSource& credentials_;
  std::mutex mutex_;                             // guards challenges_ and tokens_
  std::map<std::string, Challenge> challenges_;  // by registry
  std::map<std::string, Token> tokens_;
  std::mutex credentials_mutex_;  // held while the source is asked, so that it is asked once
  std::map<std::string, std::optional<Credentials>> known_credentials_;  // by registry/repository
  SingleFlight<Token> token_flights_;
};

}  // namespace tektii::registry
