#include "registry/aws/aws_context.hpp"

#include <nlohmann/json.hpp>

namespace tektii::registry::aws {

using Json = nlohmann::json;

net::HttpRequest make_post(const std::string& url, const std::string& content_type, std::string body) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", content_type}};
  request.body_size = body.size();
  request.body = [body = Secret(std::move(body))] { return std::make_unique<StringSource>(body.reveal()); };
  return request;
}

net::AwsSigning signing_for(const AwsCredentials& credentials, const std::string& region, const std::string& service) {
  return {region, service, credentials.access_key_id, credentials.secret_access_key, credentials.session_token};
}

net::HttpResponse send(const CloudDeps& deps, const net::HttpRequest& request, const std::stop_token& stop) {
  net::Backoff backoff({}, deps.clock);
  while (true) {
    try {
      net::HttpResponse response = deps.transport.send(request, nullptr, stop);
      if (net::classify(response.status, response.body) != net::StatusClass::retry_after) return response;
      if (!backoff.next_attempt(stop, net::retry_after(response))) return response;
    } catch (const net::TransportError&) {
      if (!backoff.next_attempt(stop)) throw;
    }
  }
}

std::string endpoint_of(const EnvLookup& env, const std::string& name, const std::string& standard) {
  auto url = env(("AWS_ENDPOINT_URL_" + name).c_str());
  if (!url) url = env("AWS_ENDPOINT_URL");
  if (!url) return standard;
  return url->ends_with('/') ? *url : *url + "/";
}

std::optional<AwsCredentials> parse_credentials(std::string_view json, std::string source) {
  const Json answer = Json::parse(json, nullptr, false);
  if (!answer.is_object()) return std::nullopt;
  const auto text = [&](const char* name) {
    const auto member = answer.find(name);
    return member != answer.end() && member->is_string() ? member->get<std::string>() : std::string();
  };
  AwsCredentials credentials;
  credentials.access_key_id = text("AccessKeyId");
  credentials.secret_access_key = Secret(text("SecretAccessKey"));
  credentials.session_token = Secret(text("Token").empty() ? text("SessionToken") : text("Token"));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) return std::nullopt;
  if (const auto seconds = parse_rfc3339(text("Expiration")))
    credentials.expires = TimePoint(std::chrono::seconds(*seconds));
  credentials.source = std::move(source);
  return credentials;
}

}  // namespace tektii::registry::aws
