#include "ssh_agent.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

namespace tektii::cli {
namespace {

constexpr const char* k_install_hint = "install OpenSSH's client programs (Debian: openssh-client)";

std::string read_line(const UniqueFd& fd) {
  constexpr int k_patience_ms = 10000;
  std::string line;
  while (true) {
    pollfd ready{fd.get(), POLLIN, 0};
    char c = 0;
    if (::poll(&ready, 1, k_patience_ms) <= 0 || ::read(fd.get(), &c, 1) != 1 || c == '\n') return line;
    line += c;
  }
}

}  // namespace

SshAgent::SshAgent(const std::vector<std::filesystem::path>& keys) : directory_("tektii-ssh-") {
  start();
  try {
    for (const auto& key : keys) add(key);
  } catch (...) {
    end();
    throw;
  }
}

SshAgent::~SshAgent() {
  end();
}

// ssh-agent ends when the command that it was started with has ended. That command reads a pipe whose other end is
// ours, so that it ends with this process even when it is killed.
void SshAgent::start() {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  const UniqueFd null = open_file("/dev/null", O_WRONLY);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.read_end.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, null.get(), STDERR_FILENO);
  std::array<std::string, 6> words = {"ssh-agent", "-a", socket().string(),
                                      "sh",        "-c", "echo $SSH_AGENT_PID; exec cat >/dev/null"};
  std::array<char*, 7> argv{};
  for (std::size_t i = 0; i < words.size(); ++i) argv[i] = words[i].data();
  const int error_number = ::posix_spawnp(&child_, words[0].c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) {
    child_ = -1;
    throw Error(ErrorKind::failure, fmt::format("--ssh with a key needs ssh-agent, which can't be started: {}",
                                                error_number == ENOENT ? "it is not installed" : "see the system log"))
        .add_hint(k_install_hint);
  }
  keep_alive_ = std::move(input.write_end);
  output.write_end.reset();
  if (const auto pid = parse_int(trim(read_line(output.read_end)))) agent_ = static_cast<pid_t>(*pid);
  if (agent_ > 0) return;
  end();
  throw Error(ErrorKind::failure, "ssh-agent did not start");
}

// Through its standard input, so that neither the permissions of the file nor where it is matter.
void SshAgent::add(const std::filesystem::path& key) const {
  constexpr std::size_t k_largest_key = 100 << 10;
  ProcessOptions options;
  options.stdin_text = read_file(key, k_largest_key);
  if (!options.stdin_text.ends_with('\n')) options.stdin_text += '\n';
  // Nobody is asked for a passphrase.
  options.extra_env = {"SSH_AUTH_SOCK=" + socket().string(), "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force",
                       "DISPLAY=none"};
  const auto result = run_process({"ssh-add", "-q", "-"}, options);
  if (result.not_found) {
    throw Error(ErrorKind::failure, "--ssh with a key needs ssh-add, which is not installed").add_hint(k_install_hint);
  }
  if (result.exit_code == 0) return;
  throw Error(ErrorKind::usage, fmt::format("--ssh: {} is no private key, or it has a passphrase", key.string()))
      .add_hint("add a key with a passphrase to your own agent (ssh-add) and give --ssh default");
}

void SshAgent::end() {
  // The agent is a child of the process that waits for our pipe, so its number stays its own as long as that lives.
  if (agent_ > 0) ::kill(agent_, SIGTERM);
  agent_ = -1;
  keep_alive_.reset();
  if (child_ > 0) {
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  child_ = -1;
}

}  // namespace tektii::cli
