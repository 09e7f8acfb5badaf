#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::api {

// What is odd about an API key, as a hint for the user; nullopt for 64 hex characters. Never quotes the key.
std::optional<std::string> api_key_hint(std::string_view key);

// True when the key can't be meant as it is: white space, quotes or control characters in it.
bool has_stray_characters(std::string_view key);

// Throws Error{denied}: "API key not found" for an empty key, "Invalid API key" for one with stray characters. Any
// other form is for the server to judge.
void check_api_key(std::string_view key);

}  // namespace tektii::api
