#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/process.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

extern char** environ;

namespace tektii {

namespace {

using SteadyClock = std::chrono::steady_clock;

void check_spawn(int error_number, std::string_view what) {
  if (error_number != 0) throw_errno(what, error_number);
}

class FileActions {
 public:
  FileActions() { check_spawn(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void dup2(int from, int to) { check_spawn(::posix_spawn_file_actions_adddup2(&actions_, from, to), "posix_spawn"); }
  void chdir(const std::string& path) {
    check_spawn(::posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()), "posix_spawn");
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// A process group of its own (so that a timeout ends the grandchildren too), no blocked signals, no ignored SIGPIPE.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    check_spawn(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Blocks SIGPIPE for this thread while it writes to a pipe whose reader may go away, and takes back the one it caused.
class SigpipeBlocker {
 public:
  SigpipeBlocker() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &previous_);
  }
  SigpipeBlocker(const SigpipeBlocker&) = delete;
  SigpipeBlocker& operator=(const SigpipeBlocker&) = delete;
  ~SigpipeBlocker() {
    const timespec no_wait{0, 0};
    if (!was_pending_) sigtimedwait(&sigpipe_, nullptr, &no_wait);
    ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  }

 private:
  sigset_t sigpipe_{};
  sigset_t previous_{};
  bool was_pending_ = false;
};

// Owns a child: it is killed with its group and reaped unless its end was seen.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill_and_reap(); }

  // True once it has ended.
  bool poll_exit() {
    if (ended_) return true;
    int status = 0;
    pid_t result = 0;
    do {
      result = ::waitpid(pid_, &status, WNOHANG);
    } while (result < 0 && errno == EINTR);
    if (result < 0) throw_errno("waitpid");
    if (result == pid_) set_ended(status);
    return ended_;
  }

  // Gives it time to remove what it was writing; the destructor does the rest.
  void ask_to_end(std::chrono::milliseconds patience) {
    if (ended_) return;
    ::kill(-pid_, SIGTERM);
    for (const auto deadline = SteadyClock::now() + patience; !poll_exit() && SteadyClock::now() < deadline;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    // Its own children, which would go on without it.
    ::kill(-pid_, SIGKILL);
  }

  void kill_and_reap() noexcept {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    set_ended(status);
  }

  int exit_code() const { return exit_code_; }

 private:
  void set_ended(int status) noexcept {
    ended_ = true;
    exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  pid_t pid_;
  bool ended_ = false;
  int exit_code_ = 0;
};

std::vector<char*> to_pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  // posix_spawn takes char* for the sake of old C and does not write to it.
  for (const auto& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// This process's environment with `extra` in place of variables of the same name.
std::vector<std::string> merged_environment(const ProcessOptions& options) {
  const auto& extra = options.extra_env;
  std::vector<std::string> merged;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view current(*entry);
    const auto same_name = [&](const std::string& added) {
      return current.starts_with(std::string_view(added).substr(0, added.find('=') + 1));
    };
    if (options.leave_out && options.leave_out(current.substr(0, current.find('=')))) continue;
    if (std::none_of(extra.begin(), extra.end(), same_name)) merged.emplace_back(current);
  }
  merged.insert(merged.end(), extra.begin(), extra.end());
  return merged;
}

void set_nonblocking(const UniqueFd& fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) throw_errno("fcntl");
}

// Moves bytes between the three pipes and memory.
class PipePump {
 public:
  PipePump(Pipe in, Pipe out, Pipe err, const ProcessOptions& options)
      : stdin_(std::move(in.write_end)),
        stdout_(std::move(out.read_end)),
        stderr_(std::move(err.read_end)),
        rest_(as_byte_span(options.stdin_text)),
        limit_(options.output_limit) {
    for (const auto* fd : {&stdin_, &stdout_, &stderr_}) set_nonblocking(*fd);
    if (rest_.empty()) stdin_.reset();
  }

  bool outputs_open() const { return stdout_ || stderr_; }

  // Waits up to `timeout` for something to do; false when nothing happened.
  bool step(std::chrono::milliseconds timeout, ProcessResult& result) {
    std::array<pollfd, 3> fds = {pollfd{stdin_.get(), POLLOUT, 0}, pollfd{stdout_.get(), POLLIN, 0},
                                 pollfd{stderr_.get(), POLLIN, 0}};
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
    if (ready < 0 && errno != EINTR) throw_errno("poll");
    if (ready <= 0) return false;
    if (fds[0].revents != 0) feed();
    if (fds[1].revents != 0) drain(stdout_, result.out);
    if (fds[2].revents != 0) drain(stderr_, result.err);
    return true;
  }

 private:
  void feed() {
    const SigpipeBlocker blocker;
    const auto count = ::write(stdin_.get(), rest_.data(), rest_.size());
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      // A program may leave its input unread: that is its decision, its exit code tells the rest.
      if (errno != EPIPE) throw_errno("write to a process");
      rest_ = {};
    } else {
      rest_ = rest_.subspan(static_cast<std::size_t>(count));
    }
    if (rest_.empty()) stdin_.reset();
  }

  void drain(UniqueFd& fd, std::string& text) {
    std::array<char, 16384> buffer;
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      throw_errno("read from a process");
    }
    if (count == 0) {
      fd.reset();
      return;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > limit_)
      throw Error(ErrorKind::failure, fmt::format("more output than the allowed {} bytes", limit_));
  }

  UniqueFd stdin_;
  UniqueFd stdout_;
  UniqueFd stderr_;
  ByteSpan rest_;
  std::size_t limit_;
};

// Collects output until the child has ended and its pipes are drained, or the time is over.
void supervise(Child& child, PipePump& pump, const ProcessOptions& options, ProcessResult& result) {
  using namespace std::chrono_literals;
  const auto deadline = SteadyClock::now() + options.timeout;
  while (!child.poll_exit()) {
    if (options.stop.stop_requested()) {
      child.ask_to_end(2s);
      throw_if_stopped(options.stop);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    if (left <= 0ms) {
      child.kill_and_reap();
      result.timed_out = true;
      break;
    }
    // The end of the child closes its pipes and wakes poll; the slice is for children that close them early.
    pump.step(pump.outputs_open() ? std::min(left, 20ms) : 1ms, result);
  }
  // What is in the pipes by now is the child's. A daemon that it left behind may keep them open: don't wait for that.
  while (pump.outputs_open() && pump.step(0ms, result)) {
  }
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  if (argv.empty()) throw Error(ErrorKind::failure, "no program to run");
  std::error_code ignored;
  // posix_spawn reports a missing directory and a missing program with the same ENOENT.
  if (options.cwd && !std::filesystem::is_directory(*options.cwd, ignored))
    throw_errno("run " + argv.front() + " in " + options.cwd->string(), ENOTDIR);

  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  FileActions actions;
  actions.dup2(in.read_end.get(), STDIN_FILENO);
  actions.dup2(out.write_end.get(), STDOUT_FILENO);
  actions.dup2(err.write_end.get(), STDERR_FILENO);
  if (options.cwd) actions.chdir(options.cwd->string());
  const SpawnAttributes attributes;
  const auto environment = merged_environment(options);

  ProcessResult result;
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv.front().c_str(), actions.get(), attributes.get(),
                                   to_pointers(argv).data(), to_pointers(environment).data());
  if (error == ENOENT) {
    result.not_found = true;
    result.exit_code = 127;
    return result;
  }
  if (error != 0) throw_errno("run " + argv.front(), error);
  Child child(pid);
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  PipePump pump(std::move(in), std::move(out), std::move(err), options);
  try {
    supervise(child, pump, options, result);
  } catch (Error& failure) {
    if (failure.kind() != ErrorKind::interrupted) failure.add_context("run " + argv.front());
    throw;
  }
  result.exit_code = child.exit_code();
  return result;
}

}  // namespace tektii
