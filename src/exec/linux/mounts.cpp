#include "mounts.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace tektii::exec {

int try_mount(const MountRequest& request) {
  const char* data = request.data.empty() ? nullptr : request.data.c_str();
  // The source is what /proc/self/mounts shows; the file systems mounted here have none.
  return ::mount(request.type.c_str(), request.target.c_str(), request.type.c_str(), request.flags, data) == 0 ? 0
                                                                                                               : errno;
}

void mount_filesystem(const MountRequest& request) {
  const int error_number = try_mount(request);
  if (error_number != 0) throw StepFailure{request.step, error_number, request.target};
}

int try_bind_mount(const std::string& source, const std::string& target) {
  return ::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 ? 0 : errno;
}

void bind_mount(Step step, const std::string& source, const std::string& target) {
  const int error_number = try_bind_mount(source, target);
  if (error_number != 0) throw StepFailure{step, error_number, source};
}

void make_read_only(Step step, const std::string& target, bool recursive) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  // Linux 5.12; userxattr, without which nothing here runs, came with 5.11 and no distribution ships that one.
  if (::mount_setattr(AT_FDCWD, target.c_str(), recursive ? AT_RECURSIVE : 0U, &attributes, sizeof attributes) != 0) {
    throw StepFailure{step, errno, target};
  }
}

UniqueFd bind_mount_at(Step step, const std::string& source, const UniqueFd& mount_point, const std::string& target) {
  UniqueFd tree(::open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  constexpr unsigned int k_both_are_descriptors = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (!tree || ::move_mount(tree.get(), "", mount_point.get(), "", k_both_are_descriptors) != 0) {
    throw StepFailure{step, errno, target};
  }
  return tree;
}

void restrict_mount(Step step, const UniqueFd& mounted, const std::string& target,
                    const MountRestrictions& restrictions) {
  mount_attr attributes{};
  if (restrictions.read_only) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  if (restrictions.no_devices) attributes.attr_set |= MOUNT_ATTR_NODEV;
  if (::mount_setattr(mounted.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    throw StepFailure{step, errno, target};
  }
}

void make_mounts_private() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw StepFailure{Step::mount_propagation, errno, "/"};
  }
}

void change_root(const std::string& new_root) {
  // pivot_root(".", ".") stacks the old root on top of the new one, where it is detached: no directory for it is
  // needed.
  if (::chdir(new_root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 ||
      ::chdir("/") != 0) {
    throw StepFailure{Step::pivot_root, errno, new_root};
  }
}

}  // namespace tektii::exec
