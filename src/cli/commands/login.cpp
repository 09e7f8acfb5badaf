#include "cli/commands/login.hpp"

#include "cli/exit_code.hpp"
#include "cli/prompt.hpp"
#include <tektii/registry/client.hpp>
#include <tektii/registry/login.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace tektii::cli {

namespace {

constexpr std::size_t k_max_password = 64 << 10;  // identity tokens are passwords too, and long

registry::ConfigOptions config_options(const std::string& auth_file) {
  registry::ConfigOptions options;
  if (!auth_file.empty()) options.auth_file = auth_file;
  return options;
}

Secret password_from_stdin() {
  UniqueFd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!input) throw_errno("standard input");
  FdSource source(std::move(input), "standard input");
  std::string text = read_all(source, k_max_password);
  // The line end that `echo` and editors add.
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return Secret(std::move(text));
}

registry::Credentials ask_credentials(const LoginOptions& options, const std::string& registry,
                                      CommandContext& context) {
  const bool terminal_is_there = ::isatty(STDIN_FILENO) == 1;
  registry::Credentials credentials;
  credentials.username = options.username;
  if (options.password_stdin) {
    if (credentials.username.empty()) {
      throw Error(ErrorKind::usage, "--password-stdin needs to know whose password it is").add_hint("add -u USER");
    }
    credentials.password = password_from_stdin();
  } else {
    if (!terminal_is_there) {
      throw Error(ErrorKind::usage, "there is no terminal to ask for the password")
          .add_hint(fmt::format("pipe it in: tektii login -u USER --password-stdin {} < FILE", registry));
    }
    if (credentials.username.empty()) {
      credentials.username = ask_line(context.terminal, fmt::format("User name for {}: ", registry), context.stop());
    }
    credentials.password = ask_secret(context.terminal, "Password or token: ", context.stop());
  }
  if (credentials.username.empty()) throw Error(ErrorKind::usage, "the user name is empty");
  if (credentials.password.empty()) throw Error(ErrorKind::usage, "the password is empty");
  if (credentials.username.find(':') != std::string::npos) {
    throw Error(ErrorKind::usage, "a user name can't contain ':'");
  }
  return credentials;
}

}  // namespace

void setup_login(CLI::App& root, CommandContext& context) {
  CLI::App* login = root.add_subcommand("login", "Check and keep the credentials for a registry");
  auto options = std::make_shared<LoginOptions>();
  login->add_option("REGISTRY", options->registry, "Host of the registry [default: Docker Hub]");
  login->add_option("-u,--username", options->username, "Name to log in with; asked for on a terminal");
  login->add_flag("--password-stdin", options->password_stdin, "Read the password from standard input");
  login->add_option("--authfile", options->auth_file,
                    "File to keep it in [default: $REGISTRY_AUTH_FILE, else docker's config.json]");
  login->footer(
      "The password is kept by the credential helper that the file names with \"credsStore\" or \"credHelpers\",\n"
      "else in the file itself, unencrypted and readable by nobody else. It is never an argument: those are seen\n"
      "by every user of the machine. Amazon ECR and Google's registries need no login where the machine, the CI job\n"
      "or the environment has cloud credentials.");
  context.on_selected(*login, [options, &context] { return run_login(*options, context); });

  CLI::App* logout = root.add_subcommand("logout", "Forget the credentials for a registry");
  auto logout_options = std::make_shared<LogoutOptions>();
  logout->add_option("REGISTRY", logout_options->registry, "Host of the registry [default: Docker Hub]");
  logout->add_option("--authfile", logout_options->auth_file,
                     "File to take it out of [default: $REGISTRY_AUTH_FILE, else docker's config.json]");
  context.on_selected(*logout, [logout_options, &context] { return run_logout(*logout_options, context); });
}

int run_login(const LoginOptions& options, CommandContext& context) {
  const std::string registry = registry::login_registry(options.registry);
  const registry::ConfigOptions config = config_options(options.auth_file);
  const registry::Credentials credentials = ask_credentials(options, registry, context);
  const auto fixed = registry::make_fixed_credentials(registry, credentials, nullptr);
  registry::RegistryClient client(registry::RegistryDeps{context.transport(), *fixed, &context.clock});
  const bool was_asked = client.check_login(registry, context.stop());
  const auto stored = registry::store_login(config, registry, credentials, context.stop());
  auto& terminal = context.terminal;
  if (!was_asked) terminal.warning(fmt::format("{} asks for no credentials, so these could not be checked", registry));
  if (!stored.encrypted) {
    terminal.warning(
        fmt::format("the password is kept unencrypted in {}; a \"credsStore\" in that file would keep it "
                    "in a keychain",
                    escape_control(stored.place)));
  }
  if (stored.shadowed_by) {
    terminal.warning(
        fmt::format("{} has credentials for {} too and is read first", escape_control(*stored.shadowed_by), registry));
  }
  terminal.success(fmt::format("Logged in to {} as {}", registry, escape_control(credentials.username)));
  return k_exit_ok;
}

int run_logout(const LogoutOptions& options, CommandContext& context) {
  const std::string registry = registry::login_registry(options.registry);
  const auto removed = registry::remove_login(config_options(options.auth_file), registry, context.stop());
  if (removed.removed_from.empty()) {
    context.terminal.line(fmt::format("Not logged in to {}", registry));
  } else {
    context.terminal.success(
        fmt::format("Removed the login for {} from {}", registry, escape_control(join(removed.removed_from, " and "))));
  }
  for (const auto& place : removed.left_in) {
    context.terminal.warning(fmt::format("{} still has credentials for {}", escape_control(place), registry));
  }
  return k_exit_ok;
}

}  // namespace tektii::cli
