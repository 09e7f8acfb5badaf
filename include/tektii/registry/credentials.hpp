#pragma once

#include <tektii/util/secret.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::registry {

struct Credentials {
  std::string username;
  Secret password;
  Secret identity_token;  // a refresh token (docker's "identitytoken")
  Secret registry_token;  // a bearer token to be used as it is
  // When to ask the source again; nullopt: what it says stays.
  std::optional<std::chrono::system_clock::time_point> renew_at = std::nullopt;
};

// Seam: what to present to a registry ("docker.io", "127.0.0.1:5000") and repository; nullopt is anonymous. Throws
// Error{denied} when there are credentials that can't be used. Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  virtual std::optional<Credentials> find(const std::string& registry, const std::string& repository,
                                          const std::stop_token& stop) = 0;
};

using EnvLookup = std::function<std::optional<std::string>(const char* name)>;
// This process's environment; a variable that is empty counts as not set.
std::optional<std::string> process_environment(const char* name);

struct ConfigOptions {
  std::optional<std::filesystem::path> auth_file = std::nullopt;  // --authfile: this file and no other place
  std::chrono::milliseconds helper_timeout{30000};
  EnvLookup env = process_environment;
};

// What the files of docker and podman and their credential helpers say (docs/registry-auth.md has the order). A missing
// file is no credentials; a damaged or unreadable one throws Error with its path.
std::unique_ptr<CredentialSource> make_config_credentials(ConfigOptions options);
// One config file alone, with its helpers.
std::unique_ptr<CredentialSource> make_docker_config_credentials(const std::filesystem::path& config_file);

// Fixed credentials for one registry, then whatever `next` (may be null) says.
std::unique_ptr<CredentialSource> make_fixed_credentials(std::string registry, Credentials credentials,
                                                         CredentialSource* next);

}  // namespace tektii::registry
