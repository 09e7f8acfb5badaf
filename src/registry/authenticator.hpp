#pragma once

#include "registry/challenge.hpp"
#include "registry/scope.hpp"
#include "registry/token.hpp"
#include <tektii/net/http.hpp>
#include <tektii/registry/credentials.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/single_flight.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace tektii::registry {

// What a request is sent for; decides which token it carries.
struct AuthSubject {
  const Endpoint& endpoint;
  const std::string& repository;
  Scopes scopes;
  std::uint64_t body_size = 0;  // a token should live as long as it takes to send
};

// Remembers what each registry asked for and the tokens it gave. Thread-safe; each (realm, service, scopes) is fetched
// by one thread while the others that need it wait.
class Authenticator {
 public:
  Authenticator(TokenDeps deps, CredentialSource& credentials) : deps_(deps), credentials_(credentials) {}

  // The Authorization to send: nullopt before the registry has asked for one, or when it wants Basic and there are no
  // credentials. A token that ends within 30 s, or before the body can have been sent, is renewed first.
  std::optional<Secret> authorization(const AuthSubject& subject, const std::stop_token& stop);

  // Takes a 401 in, or a 403 of a token that was too narrow: learns the challenge, forgets the token that was refused,
  // remembers scopes that the challenge wants for the repository. False when another try can't go better.
  bool handle_refusal(const AuthSubject& subject, const net::HttpResponse& response, const std::optional<Secret>& used,
                      const std::stop_token& stop);

  // Who the registry was told that we are, as far as credentials were looked up.
  std::optional<std::string> known_user(const Endpoint& endpoint, const std::string& repository);

 private:
  struct Lookup {
    std::optional<Credentials> credentials;
    std::optional<Error> error;  // kept, so that a helper that hangs is waited for once
  };

  std::optional<Credentials> credentials_for(const Endpoint& endpoint, const std::string& repository,
                                             const std::stop_token& stop);
  void keep_refresh_token(const std::string& name, const Secret& token);
  Secret bearer(const AuthSubject& subject, const Challenge& challenge, const std::stop_token& stop);
  Secret bearer_of(const AuthSubject& subject, const Challenge& challenge, const Credentials* credentials,
                   const std::stop_token& stop);
  std::optional<Token> cached_token(const std::string& key, std::uint64_t body_size);
  bool learn_scopes(const AuthSubject& subject, const Challenge& challenge);
  Scopes wanted_scopes(const AuthSubject& subject);
  bool has_other_credentials(const AuthSubject& subject, const Secret& used, const std::stop_token& stop);

  TokenDeps deps_;
  CredentialSource& credentials_;
  std::mutex mutex_;                             // guards all below
  std::map<std::string, Challenge> challenges_;  // by registry
  std::map<std::string, Token> tokens_;
  std::map<std::string, Error> refusals_;            // of tokens for several resources; such a token is not vital
  std::map<std::string, Scopes> learned_;            // by registry/repository
  std::set<std::string> narrow_;                     // registry/repository whose wider tokens were refused
  std::map<std::string, Lookup> known_credentials_;  // by registry/repository
  SingleFlight<Token> token_flights_;
  SingleFlight<std::optional<Credentials>> credential_flights_;
};

}  // namespace tektii::registry
