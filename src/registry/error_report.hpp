#pragma once

#include <tektii/net/http.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::registry {

// One entry of {"errors": [{"code", "message"}]} (distribution-spec "Error codes"), escaped for the terminal.
struct ServerError {
  std::string code;
  std::string message;
};

// Empty when the body is anything else.
std::vector<ServerError> parse_server_errors(std::string_view body);
bool has_error_code(const net::HttpResponse& response, std::string_view code);

// "403 (DENIED: requested access is denied)": the status with the server's own words, or the start of a plain text
// body.
std::string describe_answer(const net::HttpResponse& response);

// What to do about a refusal; `user` is who the registry was told that we are.
std::string login_hint(const std::string& registry, const std::optional<std::string>& user);

// "the registry answered ...", of the kind that the answer calls for: denied for 401 and 403,
// not_found for 404, rate_limited for 429, content for a refused digest, network for 5xx, failure for all else. Hints
// say what to do and what was tried.
Error make_answer_error(const std::string& registry, const std::optional<std::string>& user,
                        const net::HttpResponse& response);

}  // namespace tektii::registry
