#include "sandbox/api_routes.hpp"

#include "sandbox/api_json.hpp"
#include "sandbox/api_reply.hpp"
#include "sandbox/auth.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

constexpr std::size_t k_max_body = 1 << 20;

bool is_read(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

HttpReply unknown_path_reply(const HttpRequest& request) {
  return error_reply(404, "not_found", fmt::format("no such path: {}", request.path));
}

struct JsonBody {
  json value;
  std::string text;
  std::optional<HttpReply> error;
};

JsonBody read_object(HttpRequest& request) {
  JsonBody result;
  BodyText body = read_body(request, k_max_body);
  if (body.status == BodyStatus::too_long) {
    result.error = error_reply(413, "too_large", "the body is longer than 1 MiB");
    return result;
  }
  result.value = json::parse(body.text, nullptr, false);
  if (body.status == BodyStatus::broken_off || !result.value.is_object()) {
    result.error = error_reply(400, "bad_request", "the body is not a JSON object");
  }
  result.text = std::move(body.text);
  return result;
}

// A page of records as {"<name>": [...], "nextCursor": ...}; `show` makes JSON of one.
template <typename T, typename Show>
HttpReply list_reply(const HttpRequest& request, const char* name, const std::vector<T>& records, Show show) {
  const PageQuery query = parse_page(request);
  if (query.error) return *query.error;
  auto begin = records.begin();
  if (!query.page.after.empty()) {
    begin =
        std::find_if(records.begin(), records.end(), [&](const T& record) { return record.id == query.page.after; });
    if (begin == records.end()) return error_reply(400, "bad_request", "invalid cursor");
    ++begin;
  }
  const auto left = static_cast<std::size_t>(records.end() - begin);
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min(query.page.limit, left));
  json list = json::array();
  std::for_each(begin, end, [&](const T& record) { list.push_back(show(record)); });
  json body = {{name, std::move(list)}, {"nextCursor", nullptr}};
  if (end != records.end()) body["nextCursor"] = cursor_after(std::prev(end)->id);
  return json_reply(200, body);
}

// A member that has to be a string when it is there; empty when it is missing or null.
std::string optional_string(const json& object, const char* name, std::vector<FieldError>& errors) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) {
    errors.push_back({name, "is not a string"});
    return {};
  }
  return std::string(trim(found->get<std::string>()));
}

// 7 to 40 hex characters, or the fallback "ts-<unix seconds>" outside a git repository.
bool is_git_sha(std::string_view text) {
  if (text.starts_with("ts-")) return parse_int(text.substr(3)).has_value();
  return text.size() >= 7 && text.size() <= 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_template(std::string_view name) {
  return name == "ma-crossover" || name == "rsi-momentum";
}

void check_version(const NewVersion& version, const Platform& platform, std::vector<FieldError>& errors) {
  if (version.template_name.empty() && version.git_sha.empty()) {
    errors.push_back({"gitSha", "is required"});
  } else if (!version.git_sha.empty() && !is_git_sha(version.git_sha)) {
    errors.push_back({"gitSha", "is neither a git SHA nor \"ts-<seconds>\""});
  }
  if (!version.template_name.empty() && !is_template(version.template_name)) {
    errors.push_back({"template", "is not one of ma-crossover, rsi-momentum"});
  }
  if (!version.parent_version_id.empty() && !platform.version(version.strategy_id, version.parent_version_id)) {
    errors.push_back({"parentVersionId", "is not a version of this strategy"});
  }
}

}  // namespace

HttpReply ApiRoutes::handle(HttpRequest& request) const {
  const Segments segments = path_segments(request.path);
  if (segments.size() < 2) return unknown_path_reply(request);
  if (segments[1] == "instruments" && segments.size() == 2) {
    if (!is_read(request)) return method_reply("GET");
    return json_reply(200,
                      show_instruments(request.param("market").value_or(""), request.param("status").value_or("")));
  }
  if (!has_api_key(request, deps_.api_key)) return error_reply(401, "unauthorized", "Invalid API key");
  if (segments[1] != "strategies") return unknown_path_reply(request);
  if (segments.size() == 2) return handle_strategies(request);

  const auto strategy = deps_.platform.strategy(segments[2]);
  if (!strategy) return not_found_reply("strategy", segments[2]);
  if (segments.size() == 3) return is_read(request) ? json_reply(200, show_strategy(*strategy)) : method_reply("GET");
  if (segments[3] == "versions") return handle_versions(request, *strategy, segments);
  if (segments[3] == "scenarios") return handle_scenarios(request, *strategy, segments);
  return unknown_path_reply(request);
}

HttpReply ApiRoutes::handle_strategies(HttpRequest& request) const {
  if (is_read(request)) return list_reply(request, "strategies", deps_.platform.strategies(), show_strategy);
  if (request.method == "POST") return create_strategy(request);
  return method_reply("GET, POST");
}

HttpReply ApiRoutes::handle_versions(HttpRequest& request, const Strategy& strategy, const Segments& segments) const {
  const auto show = [this](const Version& version) { return show_version(version, image_reference(version)); };
  if (segments.size() == 4) {
    if (is_read(request)) return list_reply(request, "versions", deps_.platform.versions(strategy.id), show);
    return request.method == "POST" ? create_version(request, strategy) : method_reply("GET, POST");
  }
  const auto version = deps_.platform.version(strategy.id, segments[4]);
  if (!version) return not_found_reply("version", segments[4]);
  if (segments.size() == 5) return is_read(request) ? json_reply(200, show(*version)) : method_reply("GET");
  if (segments.size() == 6 && segments[5] == "confirm") {
    return request.method == "POST" ? confirm_version(strategy, version->id) : method_reply("POST");
  }
  return unknown_path_reply(request);
}

HttpReply ApiRoutes::handle_scenarios(HttpRequest& request, const Strategy& strategy, const Segments& segments) const {
  const std::int64_t now = now_milliseconds();
  if (segments.size() == 4) {
    if (is_read(request)) {
      return list_reply(request, "scenarios", deps_.platform.scenarios(strategy.id),
                        [now](const Scenario& scenario) { return show_scenario(scenario, now); });
    }
    return request.method == "POST" ? create_scenario(request, strategy) : method_reply("GET, POST");
  }
  const auto scenario = deps_.platform.scenario(strategy.id, segments[4]);
  if (!scenario) return not_found_reply("scenario", segments[4]);
  if (segments.size() == 5) {
    return is_read(request) ? json_reply(200, show_scenario(*scenario, now)) : method_reply("GET");
  }
  if (segments.size() == 6 && segments[5] == "cancel") {
    return request.method == "POST" ? cancel_scenario(strategy, scenario->id) : method_reply("POST");
  }
  if (segments.size() == 7 && segments[5] == "results") {
    return is_read(request) ? get_results(*scenario, segments[6]) : method_reply("GET");
  }
  return unknown_path_reply(request);
}

HttpReply ApiRoutes::create_strategy(HttpRequest& request) const {
  constexpr std::size_t k_max_name = 100;
  const JsonBody body = read_object(request);
  if (body.error) return *body.error;
  std::vector<FieldError> errors;
  const std::string name = optional_string(body.value, "name", errors);
  if (errors.empty() && name.empty()) errors.push_back({"name", "is required"});
  if (name.size() > k_max_name) errors.push_back({"name", "is longer than 100 bytes"});
  if (!errors.empty()) return invalid_reply(errors);
  return json_reply(201, show_strategy(deps_.platform.create_strategy(name)));
}

HttpReply ApiRoutes::create_version(HttpRequest& request, const Strategy& strategy) const {
  const JsonBody body = read_object(request);
  if (body.error) return *body.error;
  std::vector<FieldError> errors;
  NewVersion wanted;
  wanted.strategy_id = strategy.id;
  wanted.git_sha = optional_string(body.value, "gitSha", errors);
  wanted.parent_version_id = optional_string(body.value, "parentVersionId", errors);
  wanted.template_name = optional_string(body.value, "template", errors);
  if (errors.empty()) check_version(wanted, deps_.platform, errors);
  if (!errors.empty()) return invalid_reply(errors);

  const Version version = deps_.platform.create_version(wanted);
  if (!wanted.template_name.empty()) {
    deps_.publish_template(version);
    return json_reply(201, {{"versionId", version.id}});
  }
  return json_reply(201, {{"repositoryUrl", image_reference(version)},
                          {"accessToken", deps_.tokens.issue_access_token(image_repository(strategy.id))},
                          {"versionId", version.id}});
}

HttpReply ApiRoutes::confirm_version(const Strategy& strategy, const std::string& id) const {
  const auto version = deps_.platform.confirm_version(strategy.id, id);
  if (!version) return not_found_reply("version", id);
  if (version->status == VersionStatus::pending) {
    return error_reply(409, "no_image",
                       fmt::format("version {} has no image: push {} first", id, image_reference(*version)));
  }
  if (version->status == VersionStatus::failed) return error_reply(409, "version_failed", version->failure);
  return json_reply(200, show_version(*version, image_reference(*version)));
}

HttpReply ApiRoutes::create_scenario(HttpRequest& request, const Strategy& strategy) const {
  const JsonBody body = read_object(request);
  if (body.error) return *body.error;
  ScenarioRequest wanted = parse_scenario_request(body.text);
  if (!wanted.errors.empty()) return invalid_reply(wanted.errors);
  const auto version = deps_.platform.version(strategy.id, wanted.config.version_id);
  if (!version) return invalid_reply({{"strategyVersionId", "is not a version of this strategy"}});
  if (version->status == VersionStatus::failed) return error_reply(409, "version_failed", version->failure);
  if (version->status != VersionStatus::ready) {
    return error_reply(409, "no_image", fmt::format("version {} has no image yet", version->id));
  }
  const Scenario scenario = deps_.platform.create_scenario(*version, std::move(wanted.config));
  return json_reply(201, show_scenario(scenario, scenario.created_at));
}

HttpReply ApiRoutes::cancel_scenario(const Strategy& strategy, const std::string& id) const {
  const auto result = deps_.platform.cancel_scenario(strategy.id, id);
  if (!result) return not_found_reply("scenario", id);
  const std::int64_t now = now_milliseconds();
  if (!result->cancelled) {
    return error_reply(409, "already_ended",
                       fmt::format("scenario {} is already {}", id, name_of(result->scenario.status_at(now))));
  }
  return json_reply(200, show_scenario(result->scenario, now));
}

HttpReply ApiRoutes::get_results(const Scenario& scenario, const std::string& type) const {
  if (type != "metadata" && type != "timeseries" && type != "trades") return not_found_reply("results of type", type);
  const ScenarioStatus status = scenario.status_at(now_milliseconds());
  if (status != ScenarioStatus::complete) {
    return error_reply(409, "not_complete",
                       fmt::format("scenario {} is {}: only a COMPLETE one has results", scenario.id, name_of(status)));
  }
  return json_reply(200, show_results(scenario, type));
}

std::string ApiRoutes::image_reference(const Version& version) const {
  return fmt::format("{}/{}:{}", deps_.authority(), image_repository(version.strategy_id), version.id);
}

}  // namespace tektii::sandbox
