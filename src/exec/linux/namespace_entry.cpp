#include "namespace_entry.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace tektii::exec {

namespace {

EntryResult failed(std::string what, int error_number = errno) {
  return {std::move(what), error_number};
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

// Results travel between processes as "errno what".
void send_result(const UniqueFd& pipe, const EntryResult& result) {
  write_fully(pipe.get(), as_byte_span(fmt::format("{} {}", result.error_number, result.what)), "pipe");
}

EntryResult receive_result(UniqueFd pipe) {
  FdSource source(std::move(pipe), "pipe");
  constexpr std::size_t k_limit = 1 << 16;
  const std::string text = read_all(source, k_limit);
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return failed("the helper process ended unexpectedly", 0);
  return {text.substr(space + 1), static_cast<int>(parse_int(text.substr(0, space)).value_or(0))};
}

// Runs in the child that stays outside: only from there may the privileged helpers write the maps.
EntryResult write_map(const std::string& helper, pid_t pid, std::uint32_t own_id, const IdRange& range) {
  const ProcessResult result = run_process({helper, std::to_string(pid), "0", std::to_string(own_id), "1", "1",
                                            std::to_string(range.start), std::to_string(range.count)});
  if (result.exit_code == 0 && !result.not_found && !result.timed_out) return {};
  return failed(fmt::format("{} failed: {}", helper, escape_control(trim(result.err))), 0);
}

[[noreturn]] void run_map_helper(const NamespaceFacts& facts, pid_t target, gid_t own_gid, Pipe go, Pipe answer) {
  go.write_end.reset();
  answer.read_end.reset();
  int exit_code = 1;
  try {
    std::byte ready{};
    FdSource source(std::move(go.read_end), "pipe");
    // The end of the pipe without a byte: the target could not unshare and has nothing to map.
    if (source.read({&ready, 1}) == 1) {
      EntryResult result = write_map(facts.newuidmap, target, facts.uid, *facts.sub_uids);
      if (result.success()) result = write_map(facts.newgidmap, target, own_gid, *facts.sub_gids);
      send_result(answer.write_end, result);
    }
    exit_code = 0;
  } catch (const std::exception& error) {
    // A thread boundary of sorts: the reader sees the pipe end without an answer.
    const std::string_view text = error.what();
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  }
  ::_exit(exit_code);
}

EntryResult enter_user_namespace(const NamespaceFacts& facts) {
  const pid_t self = ::getpid();
  const gid_t own_gid = ::getegid();
  Pipe go = make_pipe();
  Pipe answer = make_pipe();
  const pid_t helper = ::fork();
  if (helper < 0) return failed("start a process");
  if (helper == 0) run_map_helper(facts, self, own_gid, std::move(go), std::move(answer));
  go.read_end.reset();
  answer.write_end.reset();
  EntryResult result;
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    result = failed("create a user namespace");
    go.write_end.reset();
  } else {
    write_fully(go.write_end.get(), as_byte_span("x"), "pipe");
    result = receive_result(std::move(answer.read_end));
  }
  wait_for(helper);
  if (!result.success()) return result;
  // The supplementary groups stay: they may be what lets this user read the build context.
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) return failed("become root of the user namespace");
  return {};
}

EntryResult try_overlay() {
  // On a tmpfs of our own: what is asked is whether this kernel and this policy let us mount one at all.
  if (::mount("tmpfs", "/proc", "tmpfs", 0, "size=1m") != 0) return failed("mount a tmpfs");
  for (const char* name : {"/proc/l", "/proc/u", "/proc/w", "/proc/m"}) {
    if (::mkdir(name, 0755) != 0) return failed("create a directory in a tmpfs");
  }
  const char* options = "lowerdir=/proc/l,upperdir=/proc/u,workdir=/proc/w,userxattr";
  if (::mount("overlay", "/proc/m", "overlay", 0, options) != 0) return failed("mount an overlay file system");
  if (::umount2("/proc/m", MNT_DETACH) != 0 || ::umount2("/proc", MNT_DETACH) != 0) return failed("unmount");
  return {};
}

EntryResult try_proc() {
  if (::unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS) != 0)
    return failed("create pid, ipc and uts namespaces");
  const pid_t child = ::fork();
  if (child < 0) return failed("start a process in a new pid namespace");
  if (child == 0) ::_exit(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0 ? 0 : errno);
  const int status = wait_for(child);
  if (!WIFEXITED(status)) return failed("the helper process ended unexpectedly", 0);
  if (WEXITSTATUS(status) != 0) return failed("mount /proc in a new pid namespace", WEXITSTATUS(status));
  return {};
}

}  // namespace

EntryResult enter_namespaces(const NamespaceFacts& facts) {
  if (facts.is_root) {
    if (::unshare(CLONE_NEWNS) != 0) return failed("create a mount namespace");
  } else {
    const EntryResult result = enter_user_namespace(facts);
    if (!result.success()) return result;
  }
  // What the host mounts later is seen, what is mounted here is not seen there.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return failed("make the mounts private");
  return {};
}

EntryResult try_mounts() {
  const EntryResult result = try_overlay();
  return result.success() ? try_proc() : result;
}

EntryResult rehearse(const NamespaceFacts& facts) {
  Pipe answer = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) return failed("start a process");
  if (child == 0) {
    answer.read_end.reset();
    int exit_code = 1;
    try {
      EntryResult result = enter_namespaces(facts);
      if (result.success()) result = try_mounts();
      send_result(answer.write_end, result);
      exit_code = 0;
    } catch (const std::exception& error) {
      const std::string_view text = error.what();
      (void)!::write(STDERR_FILENO, text.data(), text.size());
    }
    ::_exit(exit_code);
  }
  answer.write_end.reset();
  EntryResult result = receive_result(std::move(answer.read_end));
  wait_for(child);
  return result;
}

}  // namespace tektii::exec
