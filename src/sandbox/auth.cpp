#include "sandbox/auth.hpp"

#include "sandbox/random.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::sandbox {
namespace {

constexpr std::size_t k_key_bytes = 32;

bool is_api_key(std::string_view text) {
  return text.size() == 2 * k_key_bytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The rest of "<scheme> <rest>".
std::optional<std::string_view> strip_scheme(std::string_view header, std::string_view scheme) {
  const std::size_t space = header.find(' ');
  if (space == std::string_view::npos || !equals_ignoring_case(header.substr(0, space), scheme)) return std::nullopt;
  return trim(header.substr(space));
}

}  // namespace

Secret load_or_create_api_key(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) write_file_atomic(file, random_hex(k_key_bytes) + "\n", 0600);
  const std::string text = read_file(file, 4096);
  const std::string_view key = trim(text);
  if (!is_api_key(key)) {
    throw Error(ErrorKind::failure, fmt::format("{}: not an API key of 64 hex characters", file.string()))
        .add_hint("remove the file to get a new key");
  }
  return Secret(std::string(key));
}

bool equals_secret(std::string_view candidate, const Secret& secret) {
  const std::string& expected = secret.reveal();
  if (candidate.size() != expected.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < candidate.size(); ++i) {
    difference |= static_cast<unsigned char>(candidate[i]) ^ static_cast<unsigned char>(expected[i]);
  }
  return difference == 0;
}

bool has_api_key(const HttpRequest& request, const Secret& api_key) {
  const std::optional<std::string> bearer = parse_bearer(request.header("authorization"));
  return equals_secret(request.header("x-api-key"), api_key) || (bearer && equals_secret(*bearer, api_key));
}

std::optional<BasicCredentials> parse_basic(std::string_view header) {
  const auto encoded = strip_scheme(header, "Basic");
  if (!encoded) return std::nullopt;
  const auto decoded = base64_decode(*encoded);
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{decoded->substr(0, colon), Secret(decoded->substr(colon + 1))};
}

std::optional<std::string> parse_bearer(std::string_view header) {
  const auto token = strip_scheme(header, "Bearer");
  if (!token) return std::nullopt;
  return std::string(*token);
}

}  // namespace tektii::sandbox
