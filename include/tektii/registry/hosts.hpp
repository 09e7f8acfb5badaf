#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/tls.hpp>
#include <tektii/net/url.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

// A repository on one server that may hold its content.
struct RegistryPlace {
  std::string registry;  // as credentials name it: "docker.io", "mirror.example.com:5000"
  std::string repository;
  net::Url base;  // of the API: "https://mirror.example.com:5000/v2"
  // Plain http is tried when the server does not speak https; nor is its certificate looked at.
  bool insecure = false;
  // Loopback: http, when the server does not speak https.
  bool http_allowed = false;
  // What hosts.toml has for this server.
  std::vector<net::Header> headers = {};
  std::shared_ptr<const net::TlsSettings> tls = {};
  std::string name_space = {};  // the registry that a mirror is asked for (`?ns=`); empty: it is not told
  // Of a mirror: which questions it is asked.
  bool asked_by_tag = true;
  bool asked_by_digest = true;
};

struct HostOptions {
  std::vector<std::string> insecure = {};                                // HOST[:PORT]
  std::optional<std::filesystem::path> cert_dir = std::nullopt;          // *.crt, *.cert and *.key for every host
  std::function<std::optional<std::string>(const char* name)> env = {};  // this process's environment when empty
  std::filesystem::path root = "/";                                      // what holds etc/
};

// Where registries are and how they are spoken to, as the machine is configured (docs/registry-hosts.md):
// registries.conf of the containers tools, hosts.toml of containerd, and certs.d of both and of docker. Thread-safe.
class RegistryHosts {
 public:
  // Reads registries.conf; the files of one registry are read when it is first asked for. What can't be read or
  // understood throws Error{failure} with file and line; a malformed option throws Error{usage}.
  explicit RegistryHosts(HostOptions options);
  ~RegistryHosts();
  RegistryHosts(const RegistryHosts&) = delete;
  RegistryHosts& operator=(const RegistryHosts&) = delete;

  // Where to pull from, in order: the mirrors, then the registry itself. Throws Error{denied} when it is blocked.
  std::vector<RegistryPlace> pull_places(const std::string& registry, const std::string& repository) const;
  // Where to push to: never a mirror. Throws the same.
  RegistryPlace push_place(const std::string& registry, const std::string& repository) const;

  // For the transport: what certs.d and the options say of a host; null when they say nothing.
  std::shared_ptr<const net::TlsSettings> tls_for(const net::Url& url) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::registry
