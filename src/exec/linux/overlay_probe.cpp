#include "exec/init_report.hpp"
#include "mounts.hpp"
#include "overlay.hpp"
#include "run_errors.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace tektii::exec {

namespace {

namespace stdfs = std::filesystem;

void check(int result, const stdfs::path& path) {
  if (result < 0) throw StepFailure{Step::mount_overlay, errno, path.string()};
}

// A mount, and in it what needs the most of the file system below: a whiteout is a device, and a directory that hides
// another one carries an extended attribute.
void try_overlay(const stdfs::path& directory) {
  if (::unshare(CLONE_NEWNS) != 0) throw StepFailure{Step::new_namespaces, errno, ""};
  make_mounts_private();
  for (const char* name : {"lower", "upper", "work", "merged", "lower/directory"}) {
    check(::mkdir((directory / name).c_str(), 0755), directory / name);
  }
  const UniqueFd file(::open((directory / "lower/file").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  check(file.get(), directory / "lower/file");
  OverlayLayers layers;
  layers.lower.push_back(open_layer(directory / "lower"));
  layers.upper = open_layer(directory / "upper");
  layers.work = open_layer(directory / "work");
  const stdfs::path merged = directory / "merged";
  mount_overlay(layers, merged.string());
  check(::unlink((merged / "file").c_str()), merged);
  check(::rmdir((merged / "directory").c_str()), merged);
  check(::mkdir((merged / "directory").c_str(), 0755), merged);
}

[[noreturn]] void run_probe(const stdfs::path& directory, int report_fd) {
  InitReport report;
  report.kind = InitReport::Kind::exited;
  try {
    try_overlay(directory);
  } catch (const StepFailure& failure) {
    report = {InitReport::Kind::failed, failure.step, failure.error_number, 0, failure.path};
  } catch (const std::exception& error) {
    report = {InitReport::Kind::failed, Step::mount_overlay, 0, 0, error.what()};
  }
  const std::string bytes = serialize_report(report);
  (void)!::write(report_fd, bytes.data(), bytes.size());
  ::_exit(0);
}

}  // namespace

std::optional<Unavailable> probe_overlay(const stdfs::path& directory) {
  const stdfs::path place = stdfs::absolute(directory);
  const Pipe pipe = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) throw_errno("start a process that tries overlayfs");
  if (child == 0) run_probe(place, pipe.write_end.get());
  std::string bytes(k_report_size, '\0');
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("wait for the process that tries overlayfs");
  }
  // The report is smaller than a pipe, and whoever could write it has ended.
  if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("read what became of overlayfs");
  const ssize_t size = ::read(pipe.read_end.get(), bytes.data(), bytes.size());
  for (const char* name : {"lower", "upper", "work", "merged"}) remove_tree(place / name);
  // Filters that kill instead of refusing.
  if (size != static_cast<ssize_t>(bytes.size())) {
    return Unavailable{fmt::format("a process that mounts overlayfs is ended (wait status {:#x})", status), {}};
  }
  const InitReport report = parse_report(bytes);
  if (report.kind == InitReport::Kind::exited) return std::nullopt;
  std::string reason = fmt::format("can't {}", describe(report.step));
  if (report.error_number != 0) reason += fmt::format(": {}", std::strerror(report.error_number));
  if (const auto file_system = unsuitable_file_system(place)) {
    reason += fmt::format(" ({} is on {})", place.string(), *file_system);
  }
  return Unavailable{std::move(reason), {}};
}

}  // namespace tektii::exec
