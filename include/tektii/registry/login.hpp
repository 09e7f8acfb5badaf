#pragma once

#include <tektii/registry/credentials.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::registry {

// The registry that a user means: "https://GHCR.io/v2/" is ghcr.io, nothing and all names of Docker Hub are docker.io.
// Throws Error{usage} for what is no host.
std::string login_registry(const std::string& given);

struct StoredLogin {
  std::string place;                       // a file, or "docker-credential-pass"
  bool encrypted = false;                  // a helper keeps it
  std::optional<std::string> shadowed_by;  // a place that is read earlier and has a login for the registry too
};

// Keeps the login with the helper that the config file names for the registry, else in the file: --authfile,
// $REGISTRY_AUTH_FILE or docker's config.json, which is replaced atomically with mode 0600. All else in the file stays
// as it is, byte for byte. Throws Error{denied} when the file is damaged or the helper fails.
StoredLogin store_login(const ConfigOptions& options, const std::string& registry, const Credentials& credentials,
                        const std::stop_token& stop);

struct RemovedLogin {
  std::vector<std::string> removed_from;  // empty: there was none
  std::vector<std::string> left_in;       // places that `logout` does not write, and that have one still
};

// Takes the login out of the file that store_login writes, and tells its helper to forget it.
RemovedLogin remove_login(const ConfigOptions& options, const std::string& registry, const std::stop_token& stop);

}  // namespace tektii::registry
