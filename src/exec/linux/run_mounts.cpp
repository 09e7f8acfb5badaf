#include "run_mounts.hpp"

#include "mounts.hpp"
#include "overlay.hpp"
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

namespace tektii::exec {

namespace {

namespace stdfs = std::filesystem;

void make_directory(const stdfs::path& path, mode_t mode = 0755) {
  if (::mkdir(path.c_str(), mode) != 0) throw StepFailure{Step::prepare_mount_point, errno, path.string()};
}

// True when `path` is `parent` or below it; both without a slash at their end.
bool is_within(std::string_view path, std::string_view parent) {
  return path.starts_with(parent) && (path.size() == parent.size() || parent.empty() || path[parent.size()] == '/');
}

// Opens `relative` below `root` part by part; with `make`, what is missing is made. The path is resolved already. No
// symlink is followed: another command that shares a cache may put one there meanwhile, and it would lead out of the
// root, which is not the root of this process yet.
UniqueFd open_mount_point(const stdfs::path& root, const std::string& relative, bool directory, bool make) {
  const auto fail = [&](int error_number) { throw StepFailure{Step::make_run_mount, error_number, "/" + relative}; };
  UniqueFd at(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const stdfs::path path(relative);
  for (auto part = path.begin(); part != path.end(); ++part) {
    const bool wants_directory = directory || std::next(part) != path.end();
    UniqueFd next(::openat(at.get(), part->c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next && errno == ENOENT && make) {
      if (wants_directory) {
        if (::mkdirat(at.get(), part->c_str(), 0755) != 0 && errno != EEXIST) fail(errno);
      } else {
        const UniqueFd file(
            ::openat(at.get(), part->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!file && errno != EEXIST) fail(errno);
      }
      next.reset(::openat(at.get(), part->c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    }
    struct stat info {};
    if (!next || ::fstat(next.get(), &info) != 0) fail(errno);
    if (S_ISLNK(info.st_mode)) fail(ELOOP);
    if (S_ISDIR(info.st_mode) != wants_directory) fail(wants_directory ? ENOTDIR : EISDIR);
    at = std::move(next);
  }
  return at;
}

}  // namespace

std::string clean_target(const std::string& target) {
  std::string path = stdfs::path("/" + target).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path.starts_with("//") ? path.substr(1) : path;
}

std::vector<MountPoint> points_in_root(const std::vector<MountPoint>& targets) {
  std::vector<MountPoint> points;
  std::vector<std::string> covers{"/dev", "/proc", "/sys"};
  for (const MountPoint& target : targets) {
    const bool inside = std::any_of(covers.begin(), covers.end(),
                                    [&](const std::string& cover) { return is_within(target.path, cover); });
    if (!inside) points.push_back(target);
    covers.push_back(target.path);
  }
  return points;
}

RunMounts::RunMounts(const RunSpec& spec, const stdfs::path& work)
    : work_(work), devices_(spec.security == SecurityMode::insecure) {
  std::map<std::string, const Mount*> by_target;  // sorted, so that parents come before what is inside of them
  for (const Mount& mount : spec.mounts) by_target[clean_target(mount.target)] = &mount;
  int number = 0;
  for (const auto& [target, mount] : by_target) {
    prepared_.push_back(prepare(*mount, target, work_ / std::to_string(number++)));
  }
}

RunMounts::Prepared RunMounts::prepare(const Mount& mount, const std::string& target, const stdfs::path& place) {
  Prepared prepared{&mount, target, {}, true};
  if (const auto* overlay = std::get_if<OverlaySource>(&mount.source)) {
    prepared.source = prepare_overlay(*overlay, place);
  } else if (const auto* host = std::get_if<HostSource>(&mount.source)) {
    prepared.source = host->path.string();
  } else if (const auto* secret = std::get_if<SecretSource>(&mount.source)) {
    prepared.source = prepare_secret(*secret, target, place.filename().string());
  } else {
    prepared.source = prepare_tmpfs(std::get<TmpfsSource>(mount.source), target, place);
  }
  struct stat info {};
  if (::stat(prepared.source.c_str(), &info) != 0) {
    throw StepFailure{Step::find_mount_source, errno, prepared.source};
  }
  prepared.directory = S_ISDIR(info.st_mode);
  return prepared;
}

std::string RunMounts::prepare_overlay(const OverlaySource& source, const stdfs::path& place) const {
  make_directory(place);
  OverlayLayers layers;
  for (const stdfs::path& directory : source.lower_dirs) layers.lower.push_back(open_layer(directory));
  if (layers.lower.empty()) {
    const stdfs::path empty = place.string() + ".empty";
    make_directory(empty);
    layers.lower.push_back(open_layer(empty));
  }
  layers.upper = open_layer(source.upper_dir);
  layers.work = open_layer(source.work_dir);
  mount_overlay(layers, place.string(), devices_);
  try {
    const std::string resolved = fs::RootedDir(place).resolve(source.path);
    const std::string path = resolved.empty() ? place.string() : (place / resolved).string();
    if (::access(path.c_str(), F_OK) != 0) throw StepFailure{Step::find_mount_source, errno, source.path};
    return path;
  } catch (const Error&) {
    throw StepFailure{Step::find_mount_source, ELOOP, source.path};
  }
}

std::string RunMounts::prepare_tmpfs(const TmpfsSource& source, const std::string& target, const stdfs::path& place) {
  make_directory(place);
  const std::string size = source.size ? fmt::format(",size={}", *source.size) : "";
  const int error_number =
      try_mount({Step::make_run_mount, "tmpfs", place.string(), MS_NOSUID | MS_NODEV, "mode=1777" + size});
  if (error_number != 0) throw StepFailure{Step::make_run_mount, error_number, target};
  return place.string();
}

// Secrets live in a tmpfs of this mount namespace, which ends with the run.
std::string RunMounts::prepare_secret(const SecretSource& source, const std::string& target, const std::string& name) {
  const stdfs::path directory = work_ / "secrets";
  if (!has_secrets_) {
    make_directory(directory);
    mount_filesystem({Step::make_secret, "tmpfs", directory.string(), MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"});
    has_secrets_ = true;
  }
  const stdfs::path path = directory / name;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) throw StepFailure{Step::make_secret, errno, target};
  try {
    write_fully(fd.get(), as_byte_span(source.content.reveal()), target);
  } catch (const Error&) {
    throw StepFailure{Step::make_secret, ENOSPC, target};
  }
  if (::fchown(fd.get(), source.uid, source.gid) != 0 || ::fchmod(fd.get(), source.mode & 07777U) != 0) {
    throw StepFailure{Step::make_secret, errno, target};
  }
  return path.string();
}

std::vector<MountPoint> RunMounts::points_in_root() const {
  std::vector<MountPoint> targets;
  for (const Prepared& prepared : prepared_) targets.push_back({prepared.target, prepared.directory});
  return exec::points_in_root(targets);
}

bool RunMounts::covers(const std::string& resolved) const {
  return std::any_of(attached_.begin(), attached_.end(),
                     [&](const std::string& target) { return is_within(resolved, target); });
}

void RunMounts::attach(const stdfs::path& root) {
  attached_ = {"dev", "proc", "sys"};
  std::vector<UniqueFd> mounted;
  for (const Prepared& prepared : prepared_) mounted.push_back(attach_one(prepared, root));
  // Last: what is inside of a mount may need a mount point in it.
  for (std::size_t i = 0; i < prepared_.size(); ++i) restrict(prepared_[i], mounted[i]);
}

UniqueFd RunMounts::attach_one(const Prepared& prepared, const stdfs::path& root) {
  std::string resolved;
  try {
    resolved = fs::RootedDir(root).resolve(prepared.target);
  } catch (const Error&) {
    throw StepFailure{Step::make_run_mount, ELOOP, prepared.target};
  }
  if (resolved.empty()) throw StepFailure{Step::make_run_mount, EINVAL, prepared.target};
  const UniqueFd point = open_mount_point(root, resolved, prepared.directory, covers(resolved));
  UniqueFd mounted = bind_mount_at(Step::make_run_mount, prepared.source, point, prepared.target);
  attached_.push_back(resolved);
  return mounted;
}

void RunMounts::restrict(const Prepared& prepared, const UniqueFd& mounted) const {
  MountRestrictions restrictions;
  restrictions.read_only = prepared.mount->read_only || std::holds_alternative<SecretSource>(prepared.mount->source);
  restrictions.no_devices = !devices_;
  restrict_mount(Step::make_run_mount, mounted, prepared.target, restrictions);
}

}  // namespace tektii::exec
