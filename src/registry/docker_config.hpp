#pragma once

#include <tektii/registry/credentials.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::registry {

// The helper program that a config file names for a registry.
struct HelperChoice {
  std::string name;     // "ecr-login" for docker-credential-ecr-login
  std::string server;   // what it is asked for: the registry's host, for Docker Hub a URL
  std::string setting;  // where the file says so: "credHelpers": "r.io"
  bool certain = true;  // false for a "credsStore" when nothing says that it knows the registry
};

struct ConfigAnswer {
  std::optional<HelperChoice> helper;      // to be asked first
  std::optional<Credentials> credentials;  // of "auths"
};

// What a config.json or auth.json says of one repository. Pure; `file` is only for messages. Throws Error{denied} when
// the file is damaged, or the credentials are there but can't be used.
ConfigAnswer find_in_docker_config(std::string_view json, const std::string& file, const std::string& registry,
                                   const std::string& repository);

// The helper of a registry alone; and the keys of "auths", whatever is in them.
std::optional<HelperChoice> helper_in_docker_config(std::string_view json, const std::string& file,
                                                    const std::string& registry);
std::vector<std::string> docker_config_hosts(std::string_view json, const std::string& file);

// The keys of "auths" that are for this repository, best first, as far as they can be told without looking: namespaced
// keys from the longest, the registry itself, and for Docker Hub all the names that it goes by.
std::vector<std::string> docker_config_keys(const std::string& registry, const std::string& repository);

// "https://index.docker.io/v1/" to "index.docker.io": what is left of a key without scheme and path.
std::string normalise_config_key(std::string_view key);

// True when the key of "auths" is a way to write the registry: not a namespace of it.
bool is_key_of_registry(const std::string& key, const std::string& registry);

// What a registry is called where logins are kept: its host; "https://index.docker.io/v1/" for Docker Hub.
std::string login_key(const std::string& registry);

bool is_docker_hub(const std::string& registry);

// Without the byte order mark of Windows editors.
std::string_view without_bom(std::string_view json);

}  // namespace tektii::registry
