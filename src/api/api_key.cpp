#include <tektii/api/api_key.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::api {

namespace {

constexpr std::size_t k_key_length = 64;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

// Control characters count: a line end in a header value would start a new header.
bool is_space_or_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f;
}

}  // namespace

bool has_stray_characters(std::string_view key) {
  return std::any_of(key.begin(), key.end(), [](char c) { return is_quote(c) || is_space_or_control(c); });
}

std::optional<std::string> api_key_hint(std::string_view key) {
  const bool quotes = std::any_of(key.begin(), key.end(), is_quote);
  const bool spaces = std::any_of(key.begin(), key.end(), is_space_or_control);
  if (quotes || spaces) {
    return fmt::format("the key has {} in it: an API key is {} hex characters and nothing else",
                       quotes && spaces ? "quotes and white space"
                       : quotes         ? "quotes"
                                        : "white space",
                       k_key_length);
  }
  if (key.size() != k_key_length) {
    return fmt::format("the key is {} characters long: an API key is {} hex characters", key.size(), k_key_length);
  }
  if (!std::all_of(key.begin(), key.end(), is_hex)) {
    return fmt::format("the key has characters that are not hexadecimal: an API key is {} hex characters",
                       k_key_length);
  }
  return std::nullopt;
}

void check_api_key(std::string_view key) {
  if (key.empty()) {
    throw Error(ErrorKind::denied, "API key not found").add_hint("set TEKTII_API_KEY or pass --api-key");
  }
  if (has_stray_characters(key)) {
    throw Error(ErrorKind::denied, "Invalid API key").add_hint(api_key_hint(key).value_or(""));
  }
}

}  // namespace tektii::api
