#pragma once

#include <tektii/registry/credentials.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

// One place where logins may be kept.
struct AuthPlace {
  std::filesystem::path file;                 // empty when there is `text`
  std::optional<Secret> text = std::nullopt;  // of $DOCKER_AUTH_CONFIG
  std::string name;                           // for messages
  bool named_by_user = false;                 // its absence is worth a word
  bool legacy = false;                        // ~/.dockercfg: what others have in "auths" is the whole file
};

// All of them, first to last: $DOCKER_AUTH_CONFIG, $REGISTRY_AUTH_FILE, docker's config.json, podman's auth.json of the
// session and of the user, ~/.dockercfg. With --authfile that file alone.
std::vector<AuthPlace> auth_places(const ConfigOptions& options);

// The file that `login` writes: --authfile, else $REGISTRY_AUTH_FILE, else docker's config.json. Throws Error{usage}
// where there is no home directory.
std::filesystem::path login_file(const ConfigOptions& options);

// What the place holds as a config.json; nullopt when it is not there. Throws Error{denied} when it can't be read.
std::optional<Secret> read_place(const AuthPlace& place);

}  // namespace tektii::registry
