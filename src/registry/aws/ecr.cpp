#include "registry/aws/ecr.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::registry::aws {

namespace {

using Json = nlohmann::json;

// What both services answer when something is wrong: {"__type": "...#AccessDeniedException", "message": "..."}.
struct ServiceError {
  std::string type;
  std::string message;
};

ServiceError service_error(const net::HttpResponse& response) {
  const Json answer = Json::parse(response.body, nullptr, false);
  const auto text = [&](const char* name) {
    if (!answer.is_object()) return std::string();
    const auto member = answer.find(name);
    return member != answer.end() && member->is_string() ? member->get<std::string>() : std::string();
  };
  std::string type = text("__type");
  type.erase(0, type.rfind('#') + 1);  // npos + 1 is 0
  return {type, text("message").empty() ? text("Message") : text("message")};
}

net::HttpResponse call(const CloudDeps& deps, const EcrHost& host, const AwsCredentials& credentials,
                       const std::string& operation, const Json& input, const std::stop_token& stop) {
  const std::string url = endpoint_of(deps.env, host.is_public ? "ECR_PUBLIC" : "ECR", host.api_url());
  auto request = make_post(url, "application/x-amz-json-1.1", input.dump());
  const char* service = host.is_public ? "SpencerFrontendService." : "AmazonEC2ContainerRegistry_V20150921.";
  request.headers.push_back({"X-Amz-Target", service + operation});
  request.aws_signing = signing_for(credentials, host.region, host.service());
  return send(deps, request, stop);
}

[[noreturn]] void fail(const EcrHost& host, const AwsCredentials& credentials, const std::string& operation,
                       const net::HttpResponse& response) {
  const auto [type, message] = service_error(response);
  const bool busy = response.status >= 500 || response.status == 429;
  Error error(
      busy ? ErrorKind::network : ErrorKind::denied,
      fmt::format("Amazon ECR answered {} ({}: {}) to {} with the credentials of {}", response.status,
                  escape_control(type), escape_control(message), operation, escape_control(credentials.source)));
  if (type == "AccessDeniedException") {
    error.add_hint(fmt::format("they need the permission {}:{}{}", host.service(), operation,
                               host.is_public ? " and sts:GetServiceBearerToken" : ""));
  }
  throw error;
}

[[noreturn]] void no_token() {
  throw Error(ErrorKind::network, "Amazon ECR answered without an authorization token");
}

}  // namespace

EcrToken get_authorization_token(const CloudDeps& deps, const EcrHost& host, const AwsCredentials& credentials,
                                 const std::stop_token& stop) {
  const std::string operation = "GetAuthorizationToken";
  const net::HttpResponse response = call(deps, host, credentials, operation, Json::object(), stop);
  if (response.status != 200) fail(host, credentials, operation, response);
  const Secret text(response.body);
  const Json answer = Json::parse(text.reveal(), nullptr, false);
  if (!answer.is_object() || answer.count("authorizationData") == 0) no_token();
  Json data = answer["authorizationData"];
  if (data.is_array() && !data.empty()) data = Json(data.front());  // ECR Public has no list
  if (!data.is_object() || data.count("authorizationToken") == 0 || !data["authorizationToken"].is_string()) no_token();
  const auto decoded = base64_decode(data["authorizationToken"].get<std::string>());
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) no_token();
  EcrToken token{decoded->substr(0, colon), Secret(decoded->substr(colon + 1)), deps.clock.now()};
  const auto expires = data.find("expiresAt");
  // Seconds since 1970 with a fraction; what makes no sense counts as the twelve hours that tokens have.
  const double seconds = expires != data.end() && expires->is_number() ? expires->get<double>() : 0;
  const double now = std::chrono::duration<double>(token.expires.time_since_epoch()).count();
  const double life = seconds > now && seconds < now + 7 * 86400 ? seconds - now : 12 * 3600;
  token.expires += std::chrono::seconds(static_cast<std::int64_t>(life));
  return token;
}

RepositoryCreation create_repository(const CloudDeps& deps, const EcrHost& host, const AwsCredentials& credentials,
                                     const std::string& repository, const std::stop_token& stop) {
  const std::string operation = "CreateRepository";
  const net::HttpResponse response = call(deps, host, credentials, operation, {{"repositoryName", repository}}, stop);
  if (response.status == 200) return RepositoryCreation::created;
  const std::string type = service_error(response).type;
  if (type == "RepositoryAlreadyExistsException") return RepositoryCreation::existed;
  if (type == "AccessDeniedException") return RepositoryCreation::not_allowed;
  fail(host, credentials, operation, response);
}

}  // namespace tektii::registry::aws
