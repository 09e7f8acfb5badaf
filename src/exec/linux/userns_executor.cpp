#include "id_map.hpp"
#include "init_process.hpp"
#include "output_pump.hpp"
#include "run_errors.hpp"
#include "tree_mount_points.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

namespace tektii::exec {

namespace {

namespace stdfs = std::filesystem;

// Removes what a run leaves in its work directory, also when it failed.
class WorkDirCleaner {
 public:
  explicit WorkDirCleaner(const stdfs::path& work_dir) : work_dir_(work_dir) {}
  WorkDirCleaner(const WorkDirCleaner&) = delete;
  WorkDirCleaner& operator=(const WorkDirCleaner&) = delete;
  ~WorkDirCleaner() {
    try {
      clean();
    } catch (const std::exception& error) {
      // A destructor must not throw; the owner of the work directory removes it as a whole and meets the same error.
      spdlog::debug("can't clean {}: {}", work_dir_.string(), error.what());
    }
  }

 private:
  void clean() const {
    for (const char* name : {"overlay", "base", "top", "files", "mounts", "root"}) remove_tree(work_dir_ / name);
  }

  stdfs::path work_dir_;
};

void check_rootfs(const Rootfs& rootfs, const RunSpec& spec) {
  if (rootfs.lower_dirs.size() > k_most_lower_dirs) {
    throw Error(ErrorKind::failure, fmt::format("the root file system has {} layers; overlayfs stacks at most {}",
                                                rootfs.lower_dirs.size(), k_most_lower_dirs));
  }
  if (spec.argv.empty()) throw Error(ErrorKind::failure, "a command needs at least one argument");
}

std::optional<Unavailable> unmapped_ids(const RunSpec& spec) {
  struct Check {
    const char* map;
    const char* name;
    std::uint32_t id;
  };
  std::vector<Check> checks = {{"/proc/self/uid_map", "user", spec.uid}, {"/proc/self/gid_map", "group", spec.gid}};
  for (const Mount& mount : spec.mounts) {
    if (const auto* secret = std::get_if<SecretSource>(&mount.source)) {
      checks.push_back({"/proc/self/uid_map", "user", secret->uid});
      checks.push_back({"/proc/self/gid_map", "group", secret->gid});
    }
  }
  for (const Check& check : checks) {
    const std::uint64_t mapped = mapped_ids(read_file(check.map));
    if (check.id < mapped) continue;
    return Unavailable{fmt::format("the {} id {} is not mapped: this user namespace has the ids 0 to {}", check.name,
                                   check.id, mapped == 0 ? 0 : mapped - 1),
                       {"give the user a larger range in /etc/subuid and /etc/subgid, or build as root"}};
  }
  return std::nullopt;
}

class UsernsExecutor : public Executor {
 public:
  explicit UsernsExecutor(std::optional<Unavailable> entered) : entered_(std::move(entered)) {}

  std::string_view name() const override { return "userns"; }

  std::optional<Unavailable> unavailable_reason(const RunSpec& spec) override {
    if (entered_) return entered_;
    return unmapped_ids(spec);
  }

  ExitStatus run(const Rootfs& rootfs, const RunSpec& spec, OutputSink& output, std::stop_token stop) override {
    throw_if_stopped(stop);
    if (entered_) throw Error(ErrorKind::failure, "can't run a command: " + entered_->reason);
    check_rootfs(rootfs, spec);
    // Relative paths would be resolved by the init, after it has changed its directory.
    RunPlan plan{absolute(rootfs), spec, ::getpid()};
    for (Mount& mount : plan.spec.mounts) make_absolute(mount);
    const WorkDirCleaner cleaner(plan.rootfs.work_dir);
    if (plan.rootfs.root_dir.empty()) return run_init(plan, output, stop);
    try {
      TreeMountPoints points(plan.rootfs.root_dir, mount_points_of(plan.spec));
      const ExitStatus status = run_init(plan, output, stop);
      points.remove();
      return status;
    } catch (const StepFailure& failure) {
      throw to_error({InitReport::Kind::failed, failure.step, failure.error_number, 0, failure.path}, plan);
    }
  }

 private:
  static ExitStatus run_init(const RunPlan& plan, OutputSink& output, const std::stop_token& stop) {
    InitProcess init(plan);
    const RunOutcome outcome = pump_output(init, output, stop);
    throw_if_stopped(stop);
    if (outcome.failed) throw to_error(*outcome.failed, plan);
    if (!outcome.exited) {
      throw Error(ErrorKind::failure,
                  fmt::format("the init of the run ended unexpectedly (wait status {:#x})", init.wait()));
    }
    return to_exit_status(outcome.exited->wait_status);
  }

  static Rootfs absolute(const Rootfs& rootfs) {
    Rootfs result;
    for (const stdfs::path& directory : rootfs.lower_dirs) result.lower_dirs.push_back(stdfs::absolute(directory));
    result.work_dir = stdfs::absolute(rootfs.work_dir);
    if (rootfs.root_dir.empty()) {
      result.upper_dir = stdfs::absolute(rootfs.upper_dir);
    } else {
      result.root_dir = stdfs::absolute(rootfs.root_dir);
    }
    return result;
  }

  static void make_absolute(Mount& mount) {
    if (auto* overlay = std::get_if<OverlaySource>(&mount.source)) {
      for (stdfs::path& directory : overlay->lower_dirs) directory = stdfs::absolute(directory);
      overlay->upper_dir = stdfs::absolute(overlay->upper_dir);
      overlay->work_dir = stdfs::absolute(overlay->work_dir);
    } else if (auto* host = std::get_if<HostSource>(&mount.source)) {
      host->path = stdfs::absolute(host->path);
    }
  }

  static ExitStatus to_exit_status(int wait_status) {
    constexpr int k_signal_base = 128;
    if (WIFSIGNALED(wait_status)) return {k_signal_base + WTERMSIG(wait_status), WTERMSIG(wait_status)};
    return {WEXITSTATUS(wait_status), 0};
  }

  std::optional<Unavailable> entered_;
};

}  // namespace

std::unique_ptr<Executor> make_userns_executor(std::optional<Unavailable> entered) {
  return std::make_unique<UsernsExecutor>(std::move(entered));
}

}  // namespace tektii::exec
