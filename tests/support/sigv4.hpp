#pragma once

#include "support/http_server.hpp"

#include <string>
#include <vector>

namespace tektii::testing {

// AWS Signature Version 4 as its documentation has it, step by step, for servers that check what clients sign. It is
// checked itself against the vectors that Amazon publishes.
struct SigV4Scope {
  std::string date;  // "20150830T123600Z"
  std::string region;
  std::string service;

  std::string str() const { return date.substr(0, 8) + "/" + region + "/" + service + "/aws4_request"; }
};

struct SigV4Steps {
  std::string canonical_request;
  std::string string_to_sign;
  std::string signature;
};

SigV4Steps sign_v4(const ServerRequest& request, const std::vector<std::string>& signed_headers,
                   const SigV4Scope& scope, const std::string& secret);

struct SigV4Keys {
  std::string access_key_id;
  std::string secret;
  std::string session_token;  // empty: there must be none
};

// "" when the request carries a valid signature of these keys for the service and region; else what is wrong with it.
// Host, date, target and session token must be among the signed headers.
std::string verify_v4(const ServerRequest& request, const SigV4Keys& keys, const std::string& region,
                      const std::string& service);

}  // namespace tektii::testing
