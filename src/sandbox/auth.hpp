#pragma once

#include "sandbox/http.hpp"
#include <tektii/util/secret.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::sandbox {

// The key of this platform: read from the file, or made (64 hex characters) and written to it, readable by its owner
// alone. Throws Error with the path when the file holds something else.
Secret load_or_create_api_key(const std::filesystem::path& file);

// Compares in a time that depends on the lengths alone.
bool equals_secret(std::string_view candidate, const Secret& secret);

// True when the request carries the key, as X-API-Key or as a bearer token.
bool has_api_key(const HttpRequest& request, const Secret& api_key);

struct BasicCredentials {
  std::string user;
  Secret password;
};

// From an Authorization header; nullopt when it holds another scheme or is malformed. Schemes are case-insensitive.
std::optional<BasicCredentials> parse_basic(std::string_view header);
std::optional<std::string> parse_bearer(std::string_view header);

}  // namespace tektii::sandbox
