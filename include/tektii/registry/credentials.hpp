#pragma once

#include <tektii/util/secret.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

struct Credentials {
  std::string username;
  Secret password;
  Secret identity_token;  // a refresh token (docker's "identitytoken")
  Secret registry_token;  // a bearer token to be used as it is
};

// Seam: what to present to a registry ("docker.io", "127.0.0.1:5000") and repository; nullopt is anonymous.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  virtual std::optional<Credentials> find(const std::string& registry, const std::string& repository) = 0;
};

// docker's config.json: $DOCKER_CONFIG/config.json, else ~/.docker/config.json. A missing file is no credentials; a
// damaged one throws Error with its path.
std::unique_ptr<CredentialSource> make_docker_config_credentials();
std::unique_ptr<CredentialSource> make_docker_config_credentials(const std::filesystem::path& config_file);

// Fixed credentials for one registry, then whatever `next` (may be null) says.
std::unique_ptr<CredentialSource> make_fixed_credentials(std::string registry, Credentials credentials,
                                                         CredentialSource* next);

}  // namespace tektii::registry
