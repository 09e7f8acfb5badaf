#pragma once

#include <map>
#include <string>
#include <vector>

namespace tektii::registry {

// One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1).
struct Challenge {
  std::string scheme;                         // lower case: "bearer", "basic"
  std::map<std::string, std::string> params;  // names in lower case

  std::string param(const std::string& name) const;
};

// All challenges of all WWW-Authenticate headers, in order. Lenient, because servers are: several challenges in one
// header, missing commas, single quotes, unquoted values with ':' and '/', an unterminated quote, token68 data.
std::vector<Challenge> parse_challenges(const std::vector<std::string>& headers);

}  // namespace tektii::registry
