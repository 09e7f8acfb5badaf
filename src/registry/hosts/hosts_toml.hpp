#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/tls.hpp>
#include <tektii/net/url.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

// One server of containerd's hosts.toml.
struct HostsServer {
  std::optional<net::Url> base;  // of its API, "/v2" included; nullopt: where the registry is anyway
  bool pulls = true;             // content by digest
  bool resolves = true;          // tags
  std::vector<net::Header> headers;
  std::optional<net::TlsSettings> tls;  // nullopt: nothing is said
};

struct HostsFile {
  std::vector<HostsServer> mirrors;  // in the order of the file
  HostsServer server;
};

// Throws Error{failure} "FILE:LINE: ...".
HostsFile read_hosts_toml(const std::filesystem::path& file);

// The file for a registry ("host[:port]") below certs.d: of the registry's own directory, else of "_default"; nullopt
// when there is none. A port is written ":5000" or "_5000_".
std::optional<std::filesystem::path> find_hosts_toml(const std::filesystem::path& certs_dir,
                                                     const std::string& registry);

}  // namespace tektii::registry
