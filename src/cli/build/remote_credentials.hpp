#pragma once

#include <tektii/builder/secrets.hpp>
#include <tektii/util/secret.hpp>

#include <optional>
#include <string>

namespace tektii::cli {

// Values of the Authorization header from the secrets of a build, for ADD and for contexts alike, by the names that
// BuildKit gives them. White space around a secret does not count, and an empty one is none: a CI job names its
// variables whether they are set or not.

// For a file: HTTP_AUTH_TOKEN_<host> as a bearer token, else HTTP_AUTH_HEADER_<host> as it is; see http_secret_host.
std::optional<Secret> http_authorization(const builder::BuildSecrets& secrets, const std::string& url);

// For a git remote: GIT_AUTH_HEADER.<host:port> as it is, else GIT_AUTH_TOKEN.<host:port> as the password of
// x-access-token, else the same without a host. nullopt for remotes that are not http(s).
std::optional<Secret> git_authorization(const builder::BuildSecrets& secrets, const std::string& remote);

}  // namespace tektii::cli
