#include "cli/foreground_process.hpp"

#include "cli/render_error.hpp"
#include "cli/signals.hpp"
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string_view>

extern char** environ;

namespace tektii::cli {

namespace {

// A child that can be signalled for as long as it has not been reaped: its pid can't belong to another process then.
class Child {
 public:
  void started(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pid_ = pid;
    if (pending_ != 0) ::kill(pid_, pending_);
  }
  void pass_on(int signal) {
    const std::lock_guard lock(mutex_);
    if (pid_ > 0) {
      ::kill(pid_, signal);
    } else if (!reaped_) {
      pending_ = signal;
    }
  }
  int wait_and_reap() {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
      if (errno != EINTR) throw_errno("wait for the command");
    }
    const std::lock_guard lock(mutex_);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) throw_errno("wait for the command");
    }
    pid_ = 0;
    reaped_ = true;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  std::mutex mutex_;
  pid_t pid_ = 0;
  int pending_ = 0;
  bool reaped_ = false;
};

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

std::vector<std::string> merged_environment(const std::vector<std::string>& extra) {
  std::vector<std::string> all = extra;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const bool replaced = std::any_of(extra.begin(), extra.end(),
                                      [&](const std::string& one) { return name_of(one) == name_of(*entry); });
    if (!replaced) all.emplace_back(*entry);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The server library ignores SIGPIPE in the whole process, and a child would inherit that: `yes | head` would not end.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    sigset_t pipe_signal;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigdefault(&attributes_, &pipe_signal);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

int run_in_foreground(const std::vector<std::string>& argv, const std::vector<std::string>& extra_env,
                      Terminal& terminal) {
  Child child;
  // A Ctrl-C goes to the whole group; it is for the child to end or not.
  const SignalWatcher watcher([&child](int signal) {
    if (signal != SIGINT) child.pass_on(signal);
  });
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = merged_environment(extra_env);
  pid_t pid = 0;
  const SpawnAttributes attributes;
  const int error = ::posix_spawnp(&pid, argv.front().c_str(), nullptr, attributes.get(), pointers_to(arguments).data(),
                                   pointers_to(environment).data());
  if (error == ENOENT || error == EACCES || error == ENOEXEC) {
    const char* what = error == ENOENT ? "command not found" : "can't be executed";
    terminal.error_text(render_error(Error(ErrorKind::failure, fmt::format("{}: {}", argv.front(), what)), terminal));
    return error == ENOENT ? 127 : 126;
  }
  if (error != 0) throw_errno("start " + argv.front(), error);
  child.started(pid);
  return child.wait_and_reap();
}

}  // namespace tektii::cli
