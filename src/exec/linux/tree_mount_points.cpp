#include "tree_mount_points.hpp"

#include "exec/init_report.hpp"
#include "run_mounts.hpp"
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

namespace tektii::exec {

namespace {

[[noreturn]] void fail(std::string_view path, int error_number = errno) {
  throw StepFailure{Step::prepare_mount_point, error_number, "/" + std::string(path)};
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string name_of(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// Puts the times of a directory back that something is made in or removed from.
class KeepTimes {
 public:
  KeepTimes(int directory, std::string_view path) : directory_(directory), path_(path) {
    if (::fstat(directory_, &status_) != 0) fail(path_);
  }
  void restore() const {
    const std::array<timespec, 2> times{status_.st_atim, status_.st_mtim};
    if (::futimens(directory_, times.data()) != 0) fail(path_);
  }

 private:
  int directory_;
  std::string_view path_;
  struct stat status_ {};
};

bool is_directory_source(const Mount& mount) {
  if (std::holds_alternative<TmpfsSource>(mount.source)) return true;
  if (std::holds_alternative<SecretSource>(mount.source)) return false;
  const auto* host = std::get_if<HostSource>(&mount.source);
  if (host == nullptr) throw Error(ErrorKind::failure, "layers can't be mounted where overlayfs is not used");
  struct stat info {};
  if (::stat(host->path.c_str(), &info) != 0) throw StepFailure{Step::find_mount_source, errno, host->path.string()};
  return S_ISDIR(info.st_mode);
}

}  // namespace

std::vector<MountPoint> mount_points_of(const RunSpec& spec) {
  std::map<std::string, bool> targets;  // of two with one target the last counts
  for (const Mount& mount : spec.mounts) targets[clean_target(mount.target)] = is_directory_source(mount);
  std::vector<MountPoint> points = standard_mount_points();
  std::vector<MountPoint> own;
  for (const auto& [path, directory] : targets) own.push_back({path, directory});
  for (MountPoint& point : points_in_root(own)) points.push_back(std::move(point));
  return points;
}

TreeMountPoints::TreeMountPoints(const std::filesystem::path& root, const std::vector<MountPoint>& points)
    : path_(root), root_(open_file(root, O_RDONLY | O_DIRECTORY)) {
  try {
    for (const MountPoint& point : points) make(point);
    for (Made& made : made_) {
      struct stat status {};
      if (::fstatat(open_directory(parent_of(made.path)).get(), name_of(made.path).c_str(), &status,
                    AT_SYMLINK_NOFOLLOW) != 0) {
        fail(made.path);
      }
      made.ctime = {status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
    }
  } catch (...) {
    for (Made& made : made_) made.ctime = {};
    remove();
    throw;
  }
}

TreeMountPoints::~TreeMountPoints() {
  try {
    remove();
  } catch (const StepFailure& failure) {
    // Whoever needs them gone calls remove() itself.
    spdlog::debug("a mount point is left: {}", failure.path);
  }
}

// No symlink on the way.
UniqueFd TreeMountPoints::open_directory(std::string_view path) const {
  UniqueFd at(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (at && !path.empty()) {
    const std::string name(path.substr(0, path.find('/')));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    at.reset(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  return at;
}

void TreeMountPoints::make(const MountPoint& point) {
  std::string resolved;
  try {
    resolved = fs::RootedDir(path_).resolve(point.path);
  } catch (const Error&) {
    fail(std::string_view(point.path).substr(1), ELOOP);
  }
  const int misfit = point.directory ? ENOTDIR : EISDIR;
  if (resolved.empty()) fail(std::string_view(point.path).substr(1), misfit);
  std::size_t end = 0;
  while (end < resolved.size()) {
    end = std::min(resolved.find('/', end + 1), resolved.size());
    const std::string part = resolved.substr(0, end);
    const bool is_last = end == resolved.size();
    const UniqueFd parent = open_directory(parent_of(part));
    struct stat status {};
    if (!parent) fail(part);
    if (::fstatat(parent.get(), name_of(part).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      const bool wanted = is_last ? point.directory : true;
      if (S_ISDIR(status.st_mode) != wanted) fail(std::string_view(point.path).substr(1), is_last ? misfit : ENOTDIR);
      continue;
    }
    if (errno != ENOENT) fail(part);
    make_one(part, !is_last || point.directory);
  }
}

void TreeMountPoints::make_one(const std::string& path, bool directory) {
  const UniqueFd parent = open_directory(parent_of(path));
  if (!parent) fail(path);
  const std::string name = name_of(path);
  const KeepTimes times(parent.get(), path);
  if (directory) {
    if (::mkdirat(parent.get(), name.c_str(), 0755) != 0) fail(path);
  } else {
    const UniqueFd fd(::openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) fail(path);
  }
  made_.push_back({path, directory, {}});
  // Whatever the umask and a set-group-id bit above are.
  if (::fchownat(parent.get(), name.c_str(), 0, 0, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(parent.get(), name.c_str(), directory ? 0755 : 0644, 0) != 0) {
    fail(path);
  }
  times.restore();
}

bool TreeMountPoints::was_touched(const Made& made) const {
  const UniqueFd parent = open_directory(parent_of(made.path));
  struct stat status {};
  if (!parent || ::fstatat(parent.get(), name_of(made.path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
  if (S_ISDIR(status.st_mode) != made.directory) return true;
  if (made.ctime == decltype(made.ctime){}) return false;
  return made.ctime != std::pair<std::int64_t, std::int64_t>(status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

void TreeMountPoints::remove() {
  // First, because removing what is in a directory touches it.
  std::vector<Made> made;
  std::copy_if(made_.begin(), made_.end(), std::back_inserter(made),
               [&](const Made& one) { return !was_touched(one); });
  made_.clear();
  for (auto one = made.rbegin(); one != made.rend(); ++one) {
    const UniqueFd parent = open_directory(parent_of(one->path));
    if (!parent) fail(one->path);
    const KeepTimes times(parent.get(), one->path);
    if (::unlinkat(parent.get(), name_of(one->path).c_str(), one->directory ? AT_REMOVEDIR : 0) != 0) {
      if (errno != ENOTEMPTY && errno != EEXIST) fail(one->path);
      continue;
    }
    times.restore();
  }
}

}  // namespace tektii::exec
