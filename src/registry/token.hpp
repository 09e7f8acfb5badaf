#pragma once

#include "registry/endpoint.hpp"
#include "registry/scope.hpp"
#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/registry/credentials.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::registry {

struct Token {
  Secret value;
  std::chrono::system_clock::time_point expires;
  std::chrono::seconds life{0};
  Secret refresh_token = {};  // takes the place of the identity token that was traded in; mostly empty
};

struct TokenRequest {
  const Endpoint& endpoint;
  std::string realm;
  std::string service;
  Scopes scopes;
  std::optional<Credentials> credentials;
};

struct TokenDeps {
  net::HttpTransport& transport;
  Clock& clock;
  net::RetryPolicy retry;
};

// Asks the token server (distribution token spec): GET with Basic credentials or none; an identity token is traded in
// with a POST of grant type refresh_token (OAuth2). Servers that lack the one way are asked in the other: an identity
// token goes out as the password of a GET after 404 (GCR), 401 (Artifactory), 400 (ACR) and 405, a password as a POST
// of grant type password after 404 and 405. Throws Error{denied} when the server refuses the credentials and
// Error{network} when it can't be reached, redirects or names itself where it must not, or does not answer with a
// token.
Token fetch_token(const TokenDeps& deps, const TokenRequest& request, const std::stop_token& stop);

// Reads {"token" | "access_token", "expires_in", ...}. A life that is missing, below 60 s or no number counts as 60 s,
// so that a server's slip does not end in a token per request; a longer one is believed up to a day. The answer's
// issued_at is not used: clocks differ. Throws Error{network}.
Token parse_token(std::string_view json, std::chrono::system_clock::time_point now);

// "Basic <base64 of user:password>".
Secret basic_authorization(const Credentials& credentials);

}  // namespace tektii::registry
