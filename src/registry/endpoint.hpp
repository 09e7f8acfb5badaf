#pragma once

#include <tektii/net/url.hpp>

#include <string>
#include <string_view>

namespace tektii::registry {

// Where the API of a registry is.
struct Endpoint {
  std::string registry;  // as references and credentials name it: "docker.io", "127.0.0.1:5000"
  net::Url base;         // scheme, host and port only

  // `path` starts with '/'.
  net::Url url(std::string path) const;
  bool is_loopback() const { return net::is_loopback_host(base.host); }
};

// docker.io and its aliases are served by registry-1.docker.io. Plain http for loopback hosts, https for all others.
Endpoint endpoint_for(const std::string& registry);

// Guards URLs that the registry hands out and that get credentials or content (token realm, upload location): https
// only, except between loopback hosts; never to an address of a private network, this machine or its cloud's metadata
// service that is not the registry's own host. `what` names the URL in the Error{network}.
void check_handed_out_url(const Endpoint& endpoint, const net::Url& url, std::string_view what);

}  // namespace tektii::registry
