#include "sandbox/api_reply.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::sandbox {

using nlohmann::json;

HttpReply json_reply(int status, const json& body) {
  // Text from a request may be invalid UTF-8, which must not turn an error message into an exception.
  return {.status = status,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

HttpReply error_reply(int status, std::string_view code, std::string_view message) {
  return json_reply(status, {{"error", {{"code", code}, {"message", message}}}});
}

HttpReply not_found_reply(std::string_view what, std::string_view id) {
  return error_reply(404, "not_found", fmt::format("{} {} not found", what, id));
}

HttpReply method_reply(std::string_view allowed) {
  HttpReply reply = error_reply(405, "method_not_allowed", fmt::format("use {}", allowed));
  reply.add_header("Allow", std::string(allowed));
  return reply;
}

HttpReply invalid_reply(const std::vector<FieldError>& fields) {
  json list = json::array();
  for (const FieldError& field : fields) list.push_back({{"path", field.path}, {"message", field.message}});
  const std::string message = fmt::format("{} field{} not valid", fields.size(), fields.size() == 1 ? " is" : "s are");
  return json_reply(422,
                    {{"error", {{"code", "validation_failed"}, {"message", message}, {"fields", std::move(list)}}}});
}

PageQuery parse_page(const HttpRequest& request) {
  constexpr std::int64_t k_max_limit = 100;
  PageQuery result;
  if (const auto limit = request.param("limit")) {
    const auto number = parse_int(*limit);
    if (!number || *number < 1 || *number > k_max_limit) {
      result.error = error_reply(400, "bad_request", fmt::format("limit must be a number from 1 to {}", k_max_limit));
      return result;
    }
    result.page.limit = static_cast<std::size_t>(*number);
  }
  if (const auto cursor = request.param("cursor"); cursor && !cursor->empty()) {
    const auto id = base64_decode(*cursor);
    if (!id || id->empty()) {
      result.error = error_reply(400, "bad_request", "invalid cursor");
      return result;
    }
    result.page.after = *id;
  }
  return result;
}

std::string cursor_after(std::string_view id) {
  // Without padding it needs no escaping in a query: ids have no characters that would encode to '+' or '/'.
  std::string cursor = base64_encode(id);
  cursor.erase(cursor.find_last_not_of('=') + 1);
  return cursor;
}

}  // namespace tektii::sandbox
