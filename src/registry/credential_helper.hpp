#pragma once

#include <tektii/registry/credentials.hpp>
#include <tektii/util/error.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::registry {

// A helper program with what errors say of where it was named.
struct HelperSite {
  std::string name;     // "ecr-login" for docker-credential-ecr-login
  std::string setting;  // "credHelpers": "r.io"
  std::string file;     // the config file
  std::chrono::milliseconds timeout{30000};
};

struct HelperAnswer {
  bool missing = false;                    // there is no such program in PATH
  std::optional<Credentials> credentials;  // nullopt also when the helper knows of none
};

// The protocol of docker's credential helpers: `docker-credential-NAME get` with the server on standard input and
// {"Username", "Secret"} on standard output, where the text of a failure is as well. All but the missing program throws
// Error{denied} that names the program, the setting and the file: a failure, a timeout, output that makes no sense.
HelperAnswer helper_get(const HelperSite& site, const std::string& server, const std::stop_token& stop);

// These throw for a missing program too.
void helper_store(const HelperSite& site, const std::string& server, const Credentials& credentials,
                  const std::stop_token& stop);
// False when the helper had none.
bool helper_erase(const HelperSite& site, const std::string& server, const std::stop_token& stop);

// The error for a program that is not there.
Error missing_helper_error(const HelperSite& site, const std::string& server);

}  // namespace tektii::registry
