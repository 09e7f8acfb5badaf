#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/url.hpp>

namespace tektii::registry {

// Adds what can be done about a failure of TLS with a registry, besides what holds for any server.
void add_tls_hints(net::TransportError& error, const net::Url& url);

}  // namespace tektii::registry
