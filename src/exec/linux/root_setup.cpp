#include "root_setup.hpp"

#include "devices.hpp"
#include "exec/init_report.hpp"
#include "kernel_mounts.hpp"
#include "mount_points.hpp"
#include "mounts.hpp"
#include "overlay.hpp"
#include "run_mounts.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace tektii::exec {

namespace {

namespace stdfs = std::filesystem;

// What a run keeps in its work directory. On the file system of the upper directory and not in a tmpfs: overlayfs gives
// all files one st_dev, which `find -xdev` and `du -x` look at, only when its layers are on one file system.
struct WorkLayout {
  explicit WorkLayout(const stdfs::path& work)
      : overlay(work / "overlay"),
        base(work / "base"),
        top(work / "top"),
        files(work / "files"),
        mounts(work / "mounts"),
        root(work / "root") {
    for (const stdfs::path& path : {overlay, base, top, files, mounts, root}) {
      if (::mkdir(path.c_str(), 0755) != 0) throw StepFailure{Step::prepare_mount_point, errno, path.string()};
    }
  }

  stdfs::path overlay;  // overlayfs's own
  stdfs::path base;     // see mount_points.hpp
  stdfs::path top;
  stdfs::path files;   // copies of the host's files
  stdfs::path mounts;  // see run_mounts.hpp
  stdfs::path root;    // where the overlay is mounted
};

// The upper directory shows through as "/": one made by mkdtemp() would shut other users than root out of it.
void open_up_root(const stdfs::path& upper) {
  struct stat info {};
  if (::stat(upper.c_str(), &info) != 0) throw StepFailure{Step::open_layer, errno, upper.string()};
  constexpr mode_t k_search = 0111;
  if ((info.st_mode & k_search) == k_search) return;
  if (::chown(upper.c_str(), 0, 0) != 0 || ::chmod(upper.c_str(), 0755) != 0) {
    throw StepFailure{Step::open_layer, errno, upper.string()};
  }
}

void append_lower(OverlayLayers& layers, const Rootfs& rootfs, const stdfs::path& base) {
  for (const stdfs::path& directory : rootfs.lower_dirs) layers.lower.push_back(open_layer(directory));
  layers.lower.push_back(open_layer(base));
}

// Looks at the merged layers without the upper directory and fills `top` when mount points are hidden.
bool fill_top_layer(const Rootfs& rootfs, const WorkLayout& layout, const std::vector<MountPoint>& points) {
  if (rootfs.lower_dirs.empty()) return false;
  OverlayLayers layers;
  append_lower(layers, rootfs, layout.base);
  mount_overlay(layers, layout.root.string());
  const bool needed = make_top_layer(layout.root, layout.top, points);
  if (::umount2(layout.root.c_str(), 0) != 0) throw StepFailure{Step::mount_overlay, errno, layout.root.string()};
  return needed;
}

void mount_layers(const RunPlan& plan, const WorkLayout& layout, const std::vector<MountPoint>& points) {
  const Rootfs& rootfs = plan.rootfs;
  make_base_layer(layout.base, points);
  const bool has_top = fill_top_layer(rootfs, layout, points);
  OverlayLayers layers;
  if (has_top) layers.lower.push_back(open_layer(layout.top));
  append_lower(layers, rootfs, layout.base);
  open_up_root(rootfs.upper_dir);
  layers.upper = open_layer(rootfs.upper_dir);
  layers.work = open_layer(layout.overlay);
  mount_overlay(layers, layout.root.string(), plan.spec.security == SecurityMode::insecure);
}

// A plain directory has its mount points already. Bound onto another one, because pivot_root() wants a mount.
void mount_directory(const RunPlan& plan, const WorkLayout& layout) {
  const std::string root = plan.rootfs.root_dir.string();
  const UniqueFd target(::open(layout.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!target) throw StepFailure{Step::mount_root, errno, root};
  const UniqueFd mounted = bind_mount_at(Step::mount_root, root, target, root);
  MountRestrictions restrictions;
  restrictions.no_devices = plan.spec.security != SecurityMode::insecure;
  restrict_mount(Step::mount_root, mounted, root, restrictions);
}

// As BuildKit: what is missing belongs to the user of the command. Inside of a mount nothing is made, the command then
// fails to start.
void make_working_directory(const RunSpec& spec, const stdfs::path& root, const RunMounts& mounts) {
  const std::string resolved = stdfs::relative(resolve_mount_point(root, spec.working_dir), root).string();
  if (mounts.covers(resolved)) return;
  stdfs::path walked = root;
  for (const stdfs::path& part : stdfs::path(resolved)) {
    walked /= part;
    if (::mkdir(walked.c_str(), 0755) == 0) {
      if (::chown(walked.c_str(), spec.uid, spec.gid) != 0) {
        throw StepFailure{Step::make_working_directory, errno, spec.working_dir};
      }
    } else if (errno != EEXIST) {
      throw StepFailure{Step::make_working_directory, errno, spec.working_dir};
    }
  }
}

}  // namespace

void enter_root(const RunPlan& plan) {
  make_mounts_private();
  const WorkLayout layout(plan.rootfs.work_dir);
  const RunSpec& spec = plan.spec;
  RunMounts mounts(spec, layout.mounts);
  if (plan.rootfs.root_dir.empty()) {
    std::vector<MountPoint> points = standard_mount_points();
    for (MountPoint& point : mounts.points_in_root()) points.push_back(std::move(point));
    mount_layers(plan, layout, points);
  } else {
    mount_directory(plan, layout);
  }
  mount_proc(resolve_mount_point(layout.root, "/proc"), spec.security);
  mount_sys(resolve_mount_point(layout.root, "/sys"), spec.security);
  mount_devices(resolve_mount_point(layout.root, "/dev"), spec);
  mount_etc_files(layout.root, layout.files, spec);
  mounts.attach(layout.root);
  make_working_directory(spec, layout.root, mounts);
  change_root(layout.root.string());
}

}  // namespace tektii::exec
