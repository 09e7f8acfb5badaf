#pragma once

#include <tektii/registry/credentials.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::registry {

// What docker's config.json holds for one repository. Pure; `file` is only for messages. Throws Error{denied} when the
// credentials are there but can't be used: kept by a helper program, or damaged.
std::optional<Credentials> find_in_docker_config(std::string_view json, const std::string& file,
                                                 const std::string& registry, const std::string& repository);

// The keys of "auths" that are for this repository, best first, as far as they can be told without looking: namespaced
// keys from the longest, the registry itself, and for Docker Hub all the names that it goes by.
std::vector<std::string> docker_config_keys(const std::string& registry, const std::string& repository);

// "https://index.docker.io/v1/" to "index.docker.io": what is left of a key without scheme and path.
std::string normalise_config_key(std::string_view key);

}  // namespace tektii::registry
