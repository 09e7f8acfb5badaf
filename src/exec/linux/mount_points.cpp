#include "mount_points.hpp"

#include "exec/init_report.hpp"
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string_view>

namespace tektii::exec {

namespace {

namespace stdfs = std::filesystem;

void check(int result, const stdfs::path& path) {
  if (result != 0) throw StepFailure{Step::prepare_mount_point, errno, path.string()};
}

void make_directory(const stdfs::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) check(-1, path);
}

void make_empty_file(const stdfs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  check(fd ? 0 : -1, path);
}

void make_node(const stdfs::path& path, bool directory) {
  if (directory) {
    make_directory(path);
  } else {
    make_empty_file(path);
  }
}

std::string resolve_inside(const stdfs::path& root, const std::string& path) {
  try {
    return fs::RootedDir(root).resolve(path);
  } catch (const Error&) {
    throw StepFailure{Step::prepare_mount_point, ELOOP, path};
  }
}

// Makes `copy` look like the directory `original`. Attributes that the file system or the namespace does not let us set
// are left out: they concern a directory that is shown for the time of the run.
void copy_directory_metadata(const stdfs::path& original, const stdfs::path& copy, const struct stat& info) {
  check(::chown(copy.c_str(), info.st_uid, info.st_gid), copy);
  check(::chmod(copy.c_str(), info.st_mode & 07777), copy);
  fs::WalkOptions options;
  options.start = original.filename().string();
  fs::walk_tree(original.parent_path(), options, [&copy](const fs::WalkEntry& entry) {
    for (const auto& [name, value] : entry.metadata.xattrs) {
      const int result = ::lsetxattr(copy.c_str(), name.c_str(), value.data(), value.size(), 0);
      if (result != 0 && errno != EOPNOTSUPP && errno != EPERM) check(result, copy);
    }
    return fs::WalkAction::skip_children;
  });
  const timespec times[2] = {info.st_atim, info.st_mtim};
  check(::utimensat(AT_FDCWD, copy.c_str(), times, AT_SYMLINK_NOFOLLOW), copy);
}

// Creates `resolved` in `top`, and above it the directories that lead there. Remembers those that repeat one of
// `merged`.
void add_to_top(const stdfs::path& merged, const stdfs::path& top, const stdfs::path& resolved, bool directory,
                std::set<std::string>& repeated) {
  stdfs::path walked;
  for (const stdfs::path& part : resolved.parent_path()) {
    walked /= part;
    struct stat info {};
    if (::lstat((merged / walked).c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) throw StepFailure{Step::prepare_mount_point, ENOTDIR, "/" + walked.string()};
      repeated.insert(walked.string());
    }
    make_directory(top / walked);
  }
  make_node(top / resolved, directory);
}

}  // namespace

const std::vector<MountPoint>& standard_mount_points() {
  static const std::vector<MountPoint> points = {
      {"/proc", true}, {"/sys", true}, {"/dev", true}, {"/etc/resolv.conf", false}, {"/etc/hosts", false},
  };
  return points;
}

void make_base_layer(const stdfs::path& base, const std::vector<MountPoint>& points) {
  for (const MountPoint& point : points) {
    const stdfs::path path(point.path.substr(1));
    stdfs::path walked = base;
    for (const stdfs::path& part : path.parent_path()) make_directory(walked /= part);
    make_node(base / path, point.directory);
  }
}

bool make_top_layer(const stdfs::path& merged, const stdfs::path& top, const std::vector<MountPoint>& points) {
  std::set<std::string> repeated;
  bool needed = false;
  for (const MountPoint& point : points) {
    const std::string resolved = resolve_inside(merged, point.path);
    struct stat info {};
    if (::lstat((merged / resolved).c_str(), &info) == 0) {
      const bool fits = S_ISDIR(info.st_mode) == point.directory && !resolved.empty();
      if (!fits) throw StepFailure{Step::prepare_mount_point, point.directory ? ENOTDIR : EISDIR, point.path};
      continue;
    }
    if (errno != ENOENT && errno != ENOTDIR) throw StepFailure{Step::prepare_mount_point, errno, point.path};
    add_to_top(merged, top, resolved, point.directory, repeated);
    needed = true;
  }
  if (!needed) return false;
  repeated.insert("");  // `top` itself stands for "/"
  // Children first: setting up a child changes the times of its parent. "a" sorts before "a/b".
  for (auto path = repeated.rbegin(); path != repeated.rend(); ++path) {
    struct stat info {};
    const stdfs::path original = path->empty() ? merged : merged / *path;
    check(::lstat(original.c_str(), &info), original);
    copy_directory_metadata(original, path->empty() ? top : top / *path, info);
  }
  return true;
}

std::string resolve_mount_point(const stdfs::path& root, const std::string& path) {
  return (root / resolve_inside(root, path)).string();
}

}  // namespace tektii::exec
