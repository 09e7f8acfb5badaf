#pragma once

#include "sandbox/http.hpp"
#include "sandbox/scenario_request.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

// The forms of the API's answers.

HttpReply json_reply(int status, const nlohmann::json& body);
// {"error":{"code","message"}}
HttpReply error_reply(int status, std::string_view code, std::string_view message);
// 404 "strategy strat_1 not found"
HttpReply not_found_reply(std::string_view what, std::string_view id);
// 405 with Allow
HttpReply method_reply(std::string_view allowed);
// 422 with the fields
HttpReply invalid_reply(const std::vector<FieldError>& fields);

// `limit` and `cursor` of a list; a value that is out of range is an error.
struct PageRequest {
  std::size_t limit = 20;
  std::string after;  // the last id of the page before; empty for the first page
};
struct PageQuery {
  PageRequest page;
  std::optional<HttpReply> error;
};
PageQuery parse_page(const HttpRequest& request);

// The opaque cursor that leads to the page after this id.
std::string cursor_after(std::string_view id);

}  // namespace tektii::sandbox
