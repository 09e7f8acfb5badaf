#pragma once

#include "cli/context.hpp"

#include <string>

namespace tektii::cli {

struct LoginOptions {
  std::string registry;  // empty: Docker Hub
  std::string username;
  std::string auth_file;
  bool password_stdin = false;
};

struct LogoutOptions {
  std::string registry;
  std::string auth_file;
};

// `tektii login` and `tektii logout`.
void setup_login(CLI::App& root, CommandContext& context);

int run_login(const LoginOptions& options, CommandContext& context);
int run_logout(const LogoutOptions& options, CommandContext& context);

}  // namespace tektii::cli
