#include "command.hpp"
#include "credentials.hpp"
#include "exec/init_report.hpp"
#include "exec/run_plan.hpp"
#include "exec/ulimits.hpp"
#include "init_fds.hpp"
#include "root_setup.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

// The init of a run is three processes, because a pid namespace begins with a child of who makes it, and because pid 1
// has to outlive the command to report its end:
//   outer     child of the product; makes the namespaces, waits for pid 1
//   pid 1     mounts, starts the command, reaps orphans; its end makes the kernel kill whatever the command left
//   running command   pid 2: drops privileges and executes the command
// All are single-threaded and end with _exit().
namespace tektii::exec {

namespace {

constexpr int k_init_failed = 1;

void send_report(const InitReport& report) {
  const std::string bytes = serialize_report(report);
  // A parent that is gone can't be told anything; it takes this process with it.
  (void)!::write(k_report_fd, bytes.data(), bytes.size());
}

// Runs a part of an init; a failure is reported and becomes the exit code.
template <typename Part>
int reporting(const Part& part) {
  InitReport report;
  try {
    return part();
  } catch (const StepFailure& failure) {
    report.step = failure.step;
    report.error_number = failure.error_number;
    report.path = failure.path;
  } catch (const std::exception& error) {
    report.path = error.what();
  }
  send_report(report);
  return k_init_failed;
}

RunPlan read_plan() {
  FdSource source(UniqueFd(k_plan_fd), "run plan");
  FdSource secrets(UniqueFd(k_secrets_fd), "secrets");
  return parse_plan(read_all(source), Secret(read_all(secrets)).reveal());
}

void die_with_parent(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw StepFailure{Step::watch_parent, errno, ""};
  // The parent may have died before the call: then this process has another one by now.
  if (::getppid() != parent) throw StepFailure{Step::watch_parent, ESRCH, ""};
}

void keep_fds_to_ourselves() {
  for (const int fd : {k_report_fd, k_control_fd}) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) throw StepFailure{Step::read_plan, errno, ""};
  }
  if (::close_range(k_first_foreign_fd, ~0U, 0) != 0) throw StepFailure{Step::read_plan, errno, "close_range"};
}

void raise_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    throw StepFailure{Step::raise_loopback, errno, "lo"};
  }
}

// Opening /dev/stdout opens the pipe anew, which only its owner may do. (runc does the same; moby issue 31243.)
void give_streams_to(uid_t uid) {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (::fchown(fd, uid, static_cast<gid_t>(-1)) != 0) throw StepFailure{Step::set_user, errno, "/dev/stdout"};
  }
}

void set_limits(const RunSpec& spec) {
  for (const Ulimit& limit : spec.ulimits) {
    const rlimit values{limit.soft, limit.hard};
    const std::optional<int> resource = ulimit_resource(limit.name);
    if (!resource || ::setrlimit(static_cast<__rlimit_resource_t>(*resource), &values) != 0) {
      throw StepFailure{Step::set_limits, resource ? errno : EINVAL, limit.name};
    }
  }
}

// The command: never returns to the caller's code, but with an exit code.
int run_command(const RunSpec& spec) {
  if (::setsid() < 0) throw StepFailure{Step::start_process, errno, "setsid"};
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  set_limits(spec);
  // As root, before the user changes: a working directory that the user may not search is the image's business.
  if (::chdir(spec.working_dir.c_str()) != 0) throw StepFailure{Step::change_directory, errno, spec.working_dir};
  give_streams_to(spec.uid);
  become_user(spec);
  ::umask(022);
  return execute_command(spec);
}

// Reaps everything that ended; true when the command is among it, with its status.
bool reap_children(pid_t command, int& status) {
  bool ended = false;
  while (true) {
    int child_status = 0;
    const pid_t child = ::waitpid(-1, &child_status, WNOHANG);
    if (child <= 0) return ended;
    if (child != command) continue;
    status = child_status;
    ended = true;
  }
}

UniqueFd watch_children() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw StepFailure{Step::wait_for_command, errno, "signalfd"};
  return fd;
}

// Waits for the end of the command, obeying the parent. Returns false when the parent wants everything to end at once.
bool wait_for_command(pid_t command, const UniqueFd& child_signals, int& status) {
  while (true) {
    std::array<pollfd, 2> fds{{{child_signals.get(), POLLIN, 0}, {k_control_fd, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw StepFailure{Step::wait_for_command, errno, "poll"};
    }
    if (fds[0].revents != 0) {
      signalfd_siginfo info{};
      (void)!::read(child_signals.get(), &info, sizeof info);  // waitpid() tells more
      if (reap_children(command, status)) return true;
    }
    if (fds[1].revents == 0) continue;
    char request = 0;
    if (::read(k_control_fd, &request, 1) != 1) return false;
    // The session of the command may not exist yet: then there is just the one process.
    if (request == k_terminate && ::kill(-command, SIGTERM) != 0) ::kill(command, SIGTERM);
  }
}

int run_pid_one(const RunPlan& plan) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw StepFailure{Step::watch_parent, errno, ""};
  if (::unshare(CLONE_NEWNS) != 0) throw StepFailure{Step::new_namespaces, errno, ""};
  const RunSpec& spec = plan.spec;
  if (spec.network == NetworkMode::none) raise_loopback();
  if (::sethostname(spec.host_name.data(), spec.host_name.size()) != 0) {
    throw StepFailure{Step::set_host_name, errno, spec.host_name};
  }
  enter_root(plan);
  const UniqueFd child_signals = watch_children();
  const pid_t command = ::fork();
  if (command < 0) throw StepFailure{Step::start_process, errno, "fork"};
  if (command == 0) ::_exit(reporting([&] { return run_command(spec); }));
  InitReport report;
  report.kind = InitReport::Kind::exited;
  if (!wait_for_command(command, child_signals, report.wait_status)) return k_init_failed;
  send_report(report);
  return 0;
}

int run_outer() {
  keep_fds_to_ourselves();
  const RunPlan plan = read_plan();
  die_with_parent(plan.parent);
  ::umask(022);
  int namespaces = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (plan.spec.network == NetworkMode::none) namespaces |= CLONE_NEWNET;
  if (::unshare(namespaces) != 0) throw StepFailure{Step::new_namespaces, errno, ""};
  const pid_t child = ::fork();
  if (child < 0) throw StepFailure{Step::start_process, errno, "fork"};
  if (child == 0) ::_exit(reporting([&] { return run_pid_one(plan); }));
  int status = 0;
  // Pid 1 can be reaped only after everything in its namespace is gone, the mounts included.
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw StepFailure{Step::wait_for_command, errno, "waitpid"};
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : k_init_failed;
}

}  // namespace

int init_main(int argc, char** argv) {
  (void)argc;
  (void)argv;
  ::_exit(reporting([] { return run_outer(); }));
}

}  // namespace tektii::exec
