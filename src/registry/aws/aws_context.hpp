#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/registry/cloud.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/secret.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::registry::aws {

using TimePoint = std::chrono::system_clock::time_point;

struct AwsCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;
  std::optional<TimePoint> expires;
  std::string source;  // for messages: "the environment", "profile 'ci'"
};

// A form or JSON document to be posted.
net::HttpRequest make_post(const std::string& url, const std::string& content_type, std::string body);

net::AwsSigning signing_for(const AwsCredentials& credentials, const std::string& region, const std::string& service);

// Sends it, again while the service is busy or out of reach. Any status is a value.
net::HttpResponse send(const CloudDeps& deps, const net::HttpRequest& request, const std::stop_token& stop);

// Where a service is: $AWS_ENDPOINT_URL_<NAME>, else $AWS_ENDPOINT_URL, else `standard`.
std::string endpoint_of(const EnvLookup& env, const std::string& name, const std::string& standard);

// {"AccessKeyId", "SecretAccessKey", "Token" | "SessionToken", "Expiration"} as metadata services and processes print
// it; nullopt when the keys are missing.
std::optional<AwsCredentials> parse_credentials(std::string_view json, std::string source);

}  // namespace tektii::registry::aws
