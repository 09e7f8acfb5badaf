#include "fetch/git_command.hpp"

#include "fetch/credentials.hpp"
#include "fetch/git_url.hpp"
#include <tektii/net/url.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tektii::fetch {

namespace {

// Of each of stdout and stderr, which are kept in memory: far more than the references of any repository.
constexpr std::size_t k_output_limit = std::size_t{64} << 20;

// The rest of git's variables would make it look at other repositories, or run other programs, than we mean.
bool is_users_choice(std::string_view name) {
  constexpr std::array k_names = {
      "GIT_ASKPASS",       "GIT_CONFIG_COUNT",  "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM",
      "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH",     "GIT_SSH",           "GIT_SSH_COMMAND",
      "GIT_SSH_VARIANT",   "GIT_SSL_CAINFO",    "GIT_SSL_CAPATH",    "GIT_SSL_CERT",
      "GIT_SSL_KEY",       "GIT_SSL_NO_VERIFY", "GIT_PROXY_COMMAND", "GIT_PROXY_SSL_CAINFO"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end() || name.starts_with("GIT_CONFIG_KEY_") ||
         name.starts_with("GIT_CONFIG_VALUE_");
}

bool is_language(std::string_view name) {
  return name == "LANGUAGE" || name == "LANG" || name.starts_with("LC_");
}

// Above every configuration file: what git runs on its own, and what would make the files depend on the machine.
std::vector<std::string> base_arguments() {
  std::vector<std::string> arguments = {"git"};
  for (const char* setting :
       {"core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null", "core.autocrlf=false",
        "core.eol=lf", "core.symlinks=true", "core.fileMode=true", "core.logAllRefUpdates=false", "gc.auto=0",
        "maintenance.auto=false", "fetch.recurseSubmodules=false", "submodule.recurse=false", "fetch.unpackLimit=1",
        "fetch.writeCommitGraph=false", "advice.detachedHead=false", "credential.interactive=false",
        "http.lowSpeedLimit=1", "http.lowSpeedTime=60", "safe.directory=*"}) {
    arguments.emplace_back("-c");
    arguments.emplace_back(setting);
  }
  return arguments;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// GIT_SSH_COMMAND goes through a shell.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// ssh looks into the home directory that the system knows of, and not into $HOME: in a user namespace, where we are
// root, and in CI jobs, that is another one than the user's.
std::string ssh_home_options() {
  const std::filesystem::path home = environment("HOME");
  const passwd* entry = ::getpwuid(::geteuid());
  std::error_code failure;
  const bool is_same = entry != nullptr && home == entry->pw_dir;
  if (is_same || !home.is_absolute() || !std::filesystem::is_directory(home / ".ssh", failure)) return {};
  const auto ssh = home / ".ssh";
  std::string options = " -o UserKnownHostsFile=" + quoted((ssh / "known_hosts").string());
  if (std::filesystem::is_regular_file(ssh / "config", failure)) options += " -F " + quoted((ssh / "config").string());
  for (const char* key : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
    if (std::filesystem::is_regular_file(ssh / key, failure)) {
      options += " -o IdentityFile=" + quoted((ssh / key).string());
    }
  }
  return options;
}

bool says_any(const ProcessResult& result, std::initializer_list<std::string_view> texts) {
  return std::any_of(texts.begin(), texts.end(), [&](auto text) { return says(result, text); });
}

bool is_denied(const ProcessResult& result) {
  return says_any(result,
                  {"could not read Username", "could not read Password", "Authentication failed", "Permission denied",
                   "terminal prompts disabled", "returned error: 401", "returned error: 403", "HTTP 401", "HTTP 403",
                   "Host key verification failed", "Access denied", "access denied"});
}

bool is_network(const ProcessResult& result) {
  return says_any(result, {"Could not resolve host",
                           "Connection refused",
                           "Failed to connect",
                           "timed out",
                           "Couldn't connect",
                           "unable to connect",
                           "Connection reset",
                           "connection was reset",
                           "early EOF",
                           "Network is unreachable",
                           "No route to host",
                           "unexpected disconnect",
                           "Temporary failure in name resolution",
                           "returned error: 5",
                           "returned error: 429",
                           "Operation too slow",
                           "RPC failed",
                           "remote end hung up",
                           "unable to access",
                           "SSL",
                           "Could not resolve hostname",
                           "unable to look up"});
}

// The lines that say something, without the prefix of each.
std::string git_words(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& line : split(text, '\n')) {
    std::string_view words = trim(line);
    for (const std::string_view prefix : {"fatal: ", "error: ", "remote: ", "ssh: "}) {
      if (words.starts_with(prefix)) words.remove_prefix(prefix.size());
    }
    const bool is_advice = words.starts_with("Please make sure you have") || words == "and the repository exists.";
    if (!words.empty() && !is_advice && lines.size() < 5) lines.push_back(escape_control(words));
  }
  return join(lines, "; ");
}

void add_denied_hints(Error& error, const ProcessResult& result, const std::string& remote) {
  if (says(result, "Host key verification failed")) {
    error.add_hint(
        "ssh does not know the key of this host: connect to it once by hand, or add the key to "
        "~/.ssh/known_hosts");
  } else if (!http_scope(remote).empty()) {
    const auto host = net::Url::parse(remote).host_port();
    error.add_hint(
        fmt::format("give a token as the secret GIT_AUTH_TOKEN or GIT_AUTH_TOKEN.{}, or set up a credential "
                    "helper of git for {}",
                    host, host));
  } else {
    error.add_hint("ssh is not let in: is the key loaded into the agent (ssh-add -l)?");
  }
}

}  // namespace

bool says(const ProcessResult& result, std::string_view words) {
  return result.err.find(words) != std::string::npos;
}

bool may_pass(const ProcessResult& result) {
  return !result.not_found && is_network(result) && !is_denied(result);
}

GitCommand::GitCommand(const std::string& remote, std::optional<Secret> authorization, bool allow_file,
                       std::stop_token stop)
    : given_remote_(remote),
      remote_(without_credentials(remote)),
      authorization_(std::move(authorization)),
      allow_file_(allow_file),
      stop_(std::move(stop)) {
  const auto userinfo = userinfo_of(remote);
  if (authorization_ || userinfo.empty() || !is_http(remote)) return;
  if (userinfo.find(':') == std::string_view::npos) {
    user_ = percent_decode(userinfo);
  } else {
    authorization_ = basic_authorization(userinfo);
  }
}

ProcessResult GitCommand::run(std::vector<std::string> arguments, ProcessOptions options) const {
  auto argv = base_arguments();
  argv.insert(argv.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  // Not where we happen to be: the configuration of a repository there is nobody's choice.
  if (!options.cwd) options.cwd = "/";
  options.stop = stop_;
  options.timeout = std::chrono::hours(24);
  options.output_limit = k_output_limit;
  auto result = run_process(argv, options);
  if (result.not_found) {
    throw Error(ErrorKind::failure, "git is not installed, and a git repository is to be fetched")
        .add_hint("install git; it has to be in PATH");
  }
  return result;
}

std::optional<std::string> GitCommand::ssh_command() const {
  const bool is_ssh = remote_.starts_with("ssh://") || remote_.find("://") == std::string::npos;
  if (!is_ssh || !environment("GIT_SSH").empty() || !environment("GIT_SSH_COMMAND").empty()) return std::nullopt;
  // The variable would beat the user's setting.
  ProcessOptions options;
  options.leave_out = [](std::string_view name) { return name.starts_with("GIT_") && !is_users_choice(name); };
  if (run({"config", "--get", "core.sshCommand"}, options).exit_code == 0) return std::nullopt;
  return "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=4" +
         ssh_home_options();
}

std::vector<std::string> GitCommand::server_environment() const {
  std::vector<std::string> variables = {
      "GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "LC_ALL=C",
      allow_file_ ? "GIT_ALLOW_PROTOCOL=http:https:ssh:git:file" : "GIT_ALLOW_PROTOCOL=http:https:ssh:git"};
  if (const auto command = ssh_command()) variables.push_back("GIT_SSH_COMMAND=" + *command);
  // Not as an argument: everybody on the machine can read those.
  auto count = parse_int(environment("GIT_CONFIG_COUNT")).value_or(0);
  const auto configure = [&](const std::string& key, const std::string& value) {
    variables.push_back(fmt::format("GIT_CONFIG_KEY_{}={}", count, key));
    variables.push_back(fmt::format("GIT_CONFIG_VALUE_{}={}", count, value));
    variables.push_back(fmt::format("GIT_CONFIG_COUNT={}", ++count));
  };
  const auto scope = http_scope(remote_);
  if (scope.empty()) return variables;
  if (authorization_) {
    configure(fmt::format("http.{}.extraHeader", scope), "Authorization: " + authorization_->reveal());
  } else if (!user_.empty()) {
    configure(fmt::format("credential.{}.username", scope), user_);
  }
  return variables;
}

ProcessResult GitCommand::ask_server(const std::vector<std::string>& arguments) const {
  ProcessOptions options;
  options.leave_out = [](std::string_view name) {
    return (name.starts_with("GIT_") && !is_users_choice(name)) || is_language(name);
  };
  options.extra_env = server_environment();
  return run(arguments, options);
}

ProcessResult GitCommand::run_local(const std::vector<std::string>& arguments, const LocalOptions& local) const {
  ProcessOptions options;
  options.leave_out = [](std::string_view name) {
    return (name.starts_with("GIT_") && name != "GIT_EXEC_PATH") || is_language(name);
  };
  options.extra_env = {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
                       "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=",         "LC_ALL=C"};
  options.extra_env.insert(options.extra_env.end(), local.extra_env.begin(), local.extra_env.end());
  options.cwd = local.cwd;
  options.stdin_text = local.stdin_text;
  return run(arguments, options);
}

std::string GitCommand::local(const std::vector<std::string>& arguments, const LocalOptions& options) const {
  auto result = run_local(arguments, options);
  if (result.exit_code != 0) throw MirrorError(explain(result, "git failed on the copy of the repository"));
  return std::move(result.out);
}

std::string GitCommand::local(const std::vector<std::string>& arguments) const {
  return local(arguments, LocalOptions{});
}

Error GitCommand::explain(const ProcessResult& result, const std::string& what) const {
  auto words = redact_remote(git_words(result.err), given_remote_.reveal());
  if (words.empty()) words = fmt::format("git ended with code {}", result.exit_code);
  auto kind = ErrorKind::failure;
  if (is_denied(result)) {
    kind = ErrorKind::denied;
  } else if (is_network(result)) {
    kind = ErrorKind::network;
  }
  Error error(kind, fmt::format("{}: {}", what, words));
  if (kind == ErrorKind::denied) add_denied_hints(error, result, remote_);
  if (says_any(result, {"not found", "does not exist", "returned error: 404"}) && kind != ErrorKind::denied) {
    error.add_hint(
        "is the address right? Many servers answer so too when a repository is private and credentials are "
        "missing");
  }
  if (says(result, "cannot run ssh")) error.add_hint("install an ssh client (Debian: openssh-client)");
  return error;
}

}  // namespace tektii::fetch
