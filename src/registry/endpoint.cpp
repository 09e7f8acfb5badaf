#include "registry/endpoint.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::registry {

net::Url Endpoint::url(std::string path) const {
  net::Url url = base;
  url.path = std::move(path);
  return url;
}

Endpoint endpoint_for(const std::string& registry) {
  const bool is_hub = registry == "docker.io" || registry == "index.docker.io";
  const std::string host = is_hub ? "registry-1.docker.io" : registry;
  Endpoint endpoint{registry, net::Url::parse("https://" + host)};
  if (net::is_loopback_host(endpoint.base.host)) endpoint.base.scheme = "http";
  return endpoint;
}

void check_handed_out_url(const Endpoint& endpoint, const net::Url& url, std::string_view what) {
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::network, fmt::format("the {} that {} names is refused ({}): {}", what, endpoint.registry,
                                                why, net::redact_url(escape_control(url.str()))));
  };
  // Who is spoken to in plain http has been allowed that.
  const bool plain_pair = endpoint.base.scheme == "http" && url.host == endpoint.base.host;
  const bool local_pair = plain_pair || (endpoint.is_loopback() && net::is_loopback_host(url.host));
  if (!url.userinfo.empty()) refuse("it contains credentials");
  if (url.scheme != "https" && !local_pair) refuse("it is not https");
  if (local_pair || url.host == endpoint.base.host) return;
  switch (net::host_scope(url.host)) {
    case net::HostScope::public_host:
      return;
    case net::HostScope::private_address:
      refuse("it is an address in a private network");
      break;
    case net::HostScope::link_local:
      refuse("it is a link-local address");
      break;
    case net::HostScope::loopback:
      refuse("it is this machine");
      break;
  }
}

}  // namespace tektii::registry
