#include "init_process.hpp"

#include "init_fds.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/util/error.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>

namespace tektii::exec {

namespace {

// The descriptor under a number at or above the ones that the init expects, so that dup2() in the child can't overwrite
// one before it was copied.
UniqueFd lift(UniqueFd fd) {
  UniqueFd lifted(::fcntl(fd.get(), F_DUPFD_CLOEXEC, k_first_foreign_fd));
  if (!lifted) throw_errno("can't duplicate a file descriptor");
  return lifted;
}

UniqueFd make_memory_file(const char* name) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) throw_errno("can't create a memory file for the run plan");
  return file;
}

void rewind(const UniqueFd& file) {
  if (::lseek(file.get(), 0, SEEK_SET) != 0) throw_errno("can't rewind the run plan");
}

UniqueFd make_plan_file(const RunPlan& plan) {
  UniqueFd file = make_memory_file("tektii-run-plan");
  write_fully(file.get(), as_byte_span(serialize_plan(plan)), "the run plan");
  rewind(file);
  return file;
}

UniqueFd make_secrets_file(const RunPlan& plan) {
  UniqueFd file = make_memory_file("tektii-run-secrets");
  for_each_secret(plan, [&](std::string_view value) { write_fully(file.get(), as_byte_span(value), "a secret"); });
  rewind(file);
  return file;
}

void make_nonblocking(const UniqueFd& fd) {
  if (::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0) throw_errno("can't set O_NONBLOCK");
}

class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    // A session of its own: Ctrl-C goes to the product alone, which then ends the command in order.
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }

  void pass(const UniqueFd& fd, int as) {
    const int error_number = ::posix_spawn_file_actions_adddup2(&actions_, fd.get(), as);
    if (error_number != 0) throw_errno("can't prepare the start of a process", error_number);
  }

  pid_t spawn() const {
    std::string name = "tektii";
    std::string command = k_init_command;
    std::array<char*, 3> argv{name.data(), command.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    pid_t pid = -1;
    const int error_number =
        ::posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, argv.data(), environment.data());
    if (error_number != 0) throw_errno("can't start /proc/self/exe", error_number);
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

InitProcess::InitProcess(const RunPlan& plan) {
  Pipe output = make_pipe();
  Pipe error = make_pipe();
  Pipe reports = make_pipe();
  Pipe control = make_pipe();
  const std::array<std::pair<UniqueFd, int>, 7> inherited{{
      {lift(open_file("/dev/null", O_RDONLY)), STDIN_FILENO},
      {lift(std::move(output.write_end)), STDOUT_FILENO},
      {lift(std::move(error.write_end)), STDERR_FILENO},
      {lift(make_plan_file(plan)), k_plan_fd},
      {lift(std::move(reports.write_end)), k_report_fd},
      {lift(std::move(control.read_end)), k_control_fd},
      {lift(make_secrets_file(plan)), k_secrets_fd},
  }};
  SpawnSetup setup;
  for (const auto& [fd, number] : inherited) setup.pass(fd, number);
  output_ = std::move(output.read_end);
  error_ = std::move(error.read_end);
  reports_ = std::move(reports.read_end);
  control_ = std::move(control.write_end);
  make_nonblocking(output_);
  make_nonblocking(error_);
  make_nonblocking(reports_);
  // Last: from here on, there is something that the destructor, which does not run when a constructor throws, has to
  // end.
  pid_ = setup.spawn();
}

InitProcess::~InitProcess() {
  kill_all();
  wait();
}

void InitProcess::terminate_command() {
  if (!control_) return;
  // An init that has ended already has closed its end: SIGPIPE must not hit the product, EPIPE is no news.
  sigset_t pipe_signal;
  sigset_t previous;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &previous);
  if (::write(control_.get(), &k_terminate, 1) < 0 && errno == EPIPE) {
    const timespec at_once{};
    ::sigtimedwait(&pipe_signal, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
}

void InitProcess::kill_all() {
  control_.reset();
}

int InitProcess::wait() {
  while (!status_) {
    int status = 0;
    const pid_t result = ::waitpid(pid_, &status, 0);
    if (result == pid_) status_ = status;
    if (result < 0 && errno != EINTR) status_ = 0;  // reaped by someone else: nothing is left to wait for
  }
  return *status_;
}

}  // namespace tektii::exec
