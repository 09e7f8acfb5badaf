#include "remote_credentials.hpp"

#include <tektii/fetch/http_fetcher.hpp>
#include <tektii/net/url.hpp>
#include <tektii/util/text.hpp>

namespace tektii::cli {
namespace {

std::optional<std::string> find(const builder::BuildSecrets& secrets, const std::string& id) {
  const auto value = builder::read_secret(secrets, id);
  if (!value || trim(value->reveal()).empty()) return std::nullopt;
  return std::string(trim(value->reveal()));
}

}  // namespace

std::optional<Secret> http_authorization(const builder::BuildSecrets& secrets, const std::string& url) {
  const auto host = fetch::http_secret_host(url);
  if (const auto token = find(secrets, "HTTP_AUTH_TOKEN_" + host)) return Secret("Bearer " + *token);
  if (auto header = find(secrets, "HTTP_AUTH_HEADER_" + host)) return Secret(std::move(*header));
  return std::nullopt;
}

std::optional<Secret> git_authorization(const builder::BuildSecrets& secrets, const std::string& remote) {
  // The user of "httpbot@host:a.git" is no scheme.
  if (!remote.starts_with("http://") && !remote.starts_with("https://")) return std::nullopt;
  const auto host = net::Url::parse(remote).host_port();
  for (const auto& suffix : {"." + host, std::string()}) {
    if (auto header = find(secrets, "GIT_AUTH_HEADER" + suffix)) return Secret(std::move(*header));
    if (const auto token = find(secrets, "GIT_AUTH_TOKEN" + suffix)) {
      return Secret("basic " + base64_encode("x-access-token:" + *token));
    }
  }
  return std::nullopt;
}

}  // namespace tektii::cli
