#include "registry/tls_hints.hpp"

#include <fmt/format.h>

namespace tektii::registry {

void add_tls_hints(net::TransportError& error, const net::Url& url) {
  const auto host = url.host_port();
  switch (error.tls_problem()) {
    case net::TlsProblem::untrusted:
      error.add_hint(
          fmt::format("for this registry alone: put the authority's certificate into "
                      "/etc/containers/certs.d/{}/ca.crt, or name its "
                      "directory with --cert-dir; --insecure-registry {} does without",
                      host, host));
      break;
    case net::TlsProblem::client_certificate:
      error.add_hint(fmt::format(
          "put your certificate and its key into /etc/containers/certs.d/{}/ as client.cert and client.key, or name "
          "their directory with --cert-dir",
          host));
      break;
    case net::TlsProblem::not_tls:
      error.add_hint(
          fmt::format("if this registry is to be spoken to in plain http, add --insecure-registry {}", host));
      break;
    case net::TlsProblem::none:
    case net::TlsProblem::expired:
    case net::TlsProblem::wrong_name:
    case net::TlsProblem::other:
      break;
  }
}

}  // namespace tektii::registry
