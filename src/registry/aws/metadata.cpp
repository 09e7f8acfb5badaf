#include "registry/aws/metadata.hpp"

#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace tektii::registry::aws {

namespace {

constexpr std::size_t k_max_token_file = 64 << 10;
constexpr std::chrono::milliseconds k_connect_timeout(1000);
constexpr std::chrono::milliseconds k_total_timeout(5000);

net::HttpRequest get(const std::string& url) {
  net::HttpRequest request;
  request.url = url;
  request.connect_timeout = k_connect_timeout;
  request.total_timeout = k_total_timeout;
  request.direct = true;
  return request;
}

// Plain http to any other host would hand the token of the container to whoever answers there.
void check_container_url(const net::Url& url) {
  if (url.scheme == "https" || net::is_loopback_host(url.host)) return;
  for (const char* allowed : {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
    if (url.host == allowed) return;
  }
  throw Error(ErrorKind::denied, fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {}, which is neither https nor "
                                             "a service of this machine",
                                             net::redact_url(url.str())));
}

std::optional<Secret> container_token(const EnvLookup& env) {
  if (const auto file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    const Secret text(read_file(*file, k_max_token_file));
    return Secret(std::string(trim(text.reveal())));
  }
  if (auto token = env("AWS_CONTAINER_AUTHORIZATION_TOKEN")) return Secret(std::move(*token));
  return std::nullopt;
}

std::string instance_url(const EnvLookup& env) {
  if (auto url = env("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
    while (url->ends_with('/')) url->pop_back();
    return *url;
  }
  const bool ipv6 = to_lower(env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("")) == "ipv6";
  return ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

std::optional<AwsCredentials> ask_instance(const CloudDeps& deps, const std::stop_token& stop) {
  const std::string base = instance_url(deps.env);
  net::HttpRequest login = get(base + "/latest/api/token");
  login.method = "PUT";
  login.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  // No second try here: mostly this is no EC2 instance, and nothing answers.
  const net::HttpResponse session = deps.transport.send(login, nullptr, stop);
  if (session.status != 200) return std::nullopt;
  const auto read = [&](const std::string& path) {
    net::HttpRequest request = get(base + "/latest/meta-data/iam/security-credentials/" + path);
    request.headers = {{"X-aws-ec2-metadata-token", std::string(trim(session.body))}};
    return send(deps, request, stop);
  };
  const net::HttpResponse roles = read("");
  const std::string role(trim(std::string_view(roles.body).substr(0, roles.body.find('\n'))));
  if (roles.status != 200 || role.empty()) return std::nullopt;
  const net::HttpResponse answer = read(net::percent_encode(role));
  const Secret text(answer.body);
  if (answer.status != 200) return std::nullopt;
  return parse_credentials(text.reveal(), "the role of the EC2 instance, " + role);
}

}  // namespace

std::optional<AwsCredentials> container_credentials(const CloudDeps& deps, const std::stop_token& stop) {
  std::string address;
  if (const auto relative = deps.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    address = "http://169.254.170.2" + (relative->starts_with('/') ? *relative : "/" + *relative);
  } else if (const auto full = deps.env("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    address = *full;
  } else {
    return std::nullopt;
  }
  const net::Url url = net::Url::parse(address);
  check_container_url(url);
  net::HttpRequest request = get(url.str());
  request.authorization = container_token(deps.env);
  const net::HttpResponse response = send(deps, request, stop);
  const Secret text(response.body);
  auto credentials = parse_credentials(text.reveal(), "the container's metadata service");
  if (response.status == 200 && credentials) return credentials;
  throw Error(ErrorKind::denied, fmt::format("the container's metadata service at {} answered {} without credentials",
                                             net::redact_url(url.str()), response.status));
}

std::optional<AwsCredentials> instance_credentials(const CloudDeps& deps, const std::stop_token& stop) {
  if (to_lower(deps.env("AWS_EC2_METADATA_DISABLED").value_or("")) == "true") return std::nullopt;
  try {
    return ask_instance(deps, stop);
  } catch (const net::TransportError& error) {
    spdlog::debug("no EC2 instance metadata: {}", error.what());
    return std::nullopt;
  }
}

}  // namespace tektii::registry::aws
