#include "registry/error_report.hpp"

#include "registry/attempts.hpp"
#include <tektii/net/retry.hpp>
#include <tektii/registry/cloud.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::registry {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_errors = 5;
constexpr std::size_t k_max_text = 300;

std::string shorten(std::string_view text) {
  if (text.size() <= k_max_text) return escape_control(text);
  std::size_t end = k_max_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;  // not inside a character
  return escape_control(text.substr(0, end)) + "...";
}

std::string string_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? shorten(member->get<std::string>()) : std::string();
}

// The first line of a text body; HTML tells a reader of a terminal nothing.
std::string text_excerpt(std::string_view body) {
  body = trim(body);
  if (body.empty() || body.front() == '<' || body.front() == '{') return {};
  return shorten(trim(body.substr(0, body.find('\n'))));
}

bool looks_like_html(const net::HttpResponse& response) {
  return to_lower(response.header("Content-Type").value_or("")).starts_with("text/html");
}

}  // namespace

std::vector<ServerError> parse_server_errors(std::string_view body) {
  std::vector<ServerError> errors;
  const Json document = Json::parse(body, nullptr, false);
  if (!document.is_object()) return errors;
  const auto list = document.find("errors");
  if (list == document.end() || !list->is_array()) return errors;
  for (const Json& item : *list) {
    if (!item.is_object() || errors.size() == k_max_errors) continue;
    ServerError error{string_member(item, "code"), string_member(item, "message")};
    if (!error.code.empty() || !error.message.empty()) errors.push_back(std::move(error));
  }
  return errors;
}

bool has_error_code(const net::HttpResponse& response, std::string_view code) {
  const auto errors = parse_server_errors(response.body);
  return std::any_of(errors.begin(), errors.end(), [&](const ServerError& error) { return error.code == code; });
}

std::string describe_answer(const net::HttpResponse& response) {
  std::vector<std::string> parts;
  for (const ServerError& error : parse_server_errors(response.body)) {
    if (error.code.empty() || error.message.empty()) {
      parts.push_back(error.code + error.message);
    } else {
      parts.push_back(error.code + ": " + error.message);
    }
  }
  if (parts.empty()) {
    const std::string excerpt = text_excerpt(response.body);
    if (!excerpt.empty()) parts.push_back(excerpt);
  }
  if (parts.empty()) return fmt::format("{}", response.status);
  return fmt::format("{} ({})", response.status, join(parts, "; "));
}

std::string login_hint(const std::string& registry, const std::optional<std::string>& user) {
  const std::string command = registry == "docker.io" ? "tektii login" : "tektii login " + registry;
  if (!user) {
    return fmt::format(
        "no credentials for {} were given; log in with '{}' (logins of docker and podman are found as well)", registry,
        command);
  }
  const std::string who = user->empty() ? "the token" : fmt::format("user '{}'", escape_control(*user));
  return fmt::format("{} was refused; check the repository's name and permissions, or log in again with '{}'", who,
                     command);
}

namespace {

ErrorKind kind_of(const net::HttpResponse& response) {
  const int status = response.status;
  if (status == 429 || has_error_code(response, "TOOMANYREQUESTS")) return ErrorKind::rate_limited;
  if (status == 401 || status == 403 || has_error_code(response, "DENIED")) return ErrorKind::denied;
  if (status == 404) return ErrorKind::not_found;
  if (has_error_code(response, "DIGEST_INVALID") || has_error_code(response, "SIZE_INVALID")) return ErrorKind::content;
  return status >= 500 || status < 200 ? ErrorKind::network : ErrorKind::failure;
}

bool speaks_of_quota(const net::HttpResponse& response) {
  const std::string text = to_lower(response.body);
  return text.find("quota") != std::string::npos || text.find("storage limit") != std::string::npos;
}

std::optional<std::string> hint_for(const std::string& registry, const std::optional<std::string>& user,
                                    const net::HttpResponse& response) {
  if (speaks_of_quota(response)) return "the quota is used up: delete old images there, or ask for more";
  if (response.status == 401 || response.status == 403) return login_hint(registry, user);
  if (has_error_code(response, "NAME_UNKNOWN")) {
    return is_ecr_registry(registry)
               ? "Amazon ECR wants the repository to be created before the first push: add --create-repository"
               : "some registries want the repository to be created before the first push";
  }
  if (has_error_code(response, "MANIFEST_INVALID")) {
    return "the registry may not take this kind of manifest: some take OCI images alone, some only those of Docker";
  }
  if (response.status == 413) {
    return "a proxy in front of the registry limits the size of a request; --push-chunk-size sends blobs in smaller "
           "pieces";
  }
  if (const auto delay = net::retry_after(response)) {
    return fmt::format(
        "the registry asks to wait {} before the next request; --retry-timeout sets how much time a run "
        "may lose to failures",
        format_duration(delay->count() * 1000));
  }
  if (looks_like_html(response)) return fmt::format("{} answers with a web page; is it a registry?", registry);
  return std::nullopt;
}

}  // namespace

Error make_answer_error(const std::string& registry, const std::optional<std::string>& user,
                        const net::HttpResponse& response) {
  Error error(kind_of(response), fmt::format("the registry answered {}", describe_answer(response)));
  if (const auto hint = hint_for(registry, user, response)) error.add_hint(*hint);
  if (response.attempts > 1) error.add_hint(describe_attempts(response.attempts, response.tried_for));
  return error;
}

}  // namespace tektii::registry
