#include "support/sigv4.hpp"

#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tektii::testing {

namespace {

std::string sha256_bytes(const std::string& text) {
  const auto bytes = Sha256().update(text).finish_bytes();
  return {bytes.begin(), bytes.end()};
}

std::string to_hex(const std::string& bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

// RFC 2104.
std::string hmac(std::string key, const std::string& text) {
  if (key.size() > 64) key = sha256_bytes(key);
  key.resize(64, '\0');
  std::string inner;
  std::string outer;
  for (const char c : key) {
    inner += static_cast<char>(c ^ 0x36);
    outer += static_cast<char>(c ^ 0x5c);
  }
  return sha256_bytes(outer + sha256_bytes(inner + text));
}

std::string encoded_path(const std::string& path) {
  std::string out;
  for (const char c : path.empty() ? std::string("/") : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == '/' || c == '%';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string sorted_query(const std::string& target) {
  const auto question = target.find('?');
  if (question == std::string::npos) return {};
  auto parameters = split(target.substr(question + 1), '&');
  for (std::string& parameter : parameters) {
    if (parameter.find('=') == std::string::npos) parameter += '=';
  }
  std::sort(parameters.begin(), parameters.end());
  return join(parameters, "&");
}

// Trimmed, with single spaces.
std::string canonical_value(const std::string& value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  return out;
}

std::map<std::string, std::string> credential_parts(const std::string& authorization) {
  std::map<std::string, std::string> parts;
  constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256 ";
  if (!authorization.starts_with(k_algorithm)) return parts;
  for (const std::string& field : split(authorization.substr(k_algorithm.size()), ',')) {
    const std::string text(trim(field));
    const auto equals = text.find('=');
    if (equals != std::string::npos) parts[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return parts;
}

}  // namespace

SigV4Steps sign_v4(const ServerRequest& request, const std::vector<std::string>& signed_headers,
                   const SigV4Scope& scope, const std::string& secret) {
  std::string headers;
  for (const std::string& name : signed_headers) {
    headers += name + ":" + canonical_value(request.header(name).value_or("")) + "\n";
  }
  SigV4Steps steps;
  steps.canonical_request = request.method + "\n" + encoded_path(request.path()) + "\n" + sorted_query(request.target) +
                            "\n" + headers + "\n" + join(signed_headers, ";") + "\n" + Sha256::hex_of(request.body);
  steps.string_to_sign =
      "AWS4-HMAC-SHA256\n" + scope.date + "\n" + scope.str() + "\n" + Sha256::hex_of(steps.canonical_request);
  std::string key = hmac("AWS4" + secret, scope.date.substr(0, 8));
  for (const std::string& part : {scope.region, scope.service, std::string("aws4_request")}) key = hmac(key, part);
  steps.signature = to_hex(hmac(key, steps.string_to_sign));
  return steps;
}

std::string verify_v4(const ServerRequest& request, const SigV4Keys& keys, const std::string& region,
                      const std::string& service) {
  auto parts = credential_parts(request.header("Authorization").value_or(""));
  const SigV4Scope scope{request.header("X-Amz-Date").value_or(""), region, service};
  if (scope.date.size() != 16) return "no X-Amz-Date";
  if (parts["Credential"] != keys.access_key_id + "/" + scope.str()) return "wrong credential " + parts["Credential"];
  const auto names = split(parts["SignedHeaders"], ';');
  if (!std::is_sorted(names.begin(), names.end())) return "headers out of order: " + parts["SignedHeaders"];
  const auto is_signed = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (const char* name : {"host", "x-amz-date"}) {
    if (!is_signed(name)) return fmt::format("{} is not signed", name);
  }
  for (const char* name : {"x-amz-target", "x-amz-security-token", "content-type"}) {
    if (request.header(name) && !is_signed(name)) return fmt::format("{} is not signed", name);
  }
  if (request.header("X-Amz-Security-Token").value_or("") != keys.session_token) return "wrong session token";
  const auto hash = request.header("X-Amz-Content-Sha256");
  if (hash && *hash != Sha256::hex_of(request.body)) return "wrong hash of the body";
  const SigV4Steps steps = sign_v4(request, names, scope, keys.secret);
  if (parts["Signature"] != steps.signature) return "wrong signature for\n" + steps.canonical_request;
  return {};
}

}  // namespace tektii::testing
