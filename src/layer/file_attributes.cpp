#include "layer/file_attributes.hpp"

#include "layer/overlay_format.hpp"
#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tektii::layer {

namespace {

std::array<timespec, 2> times_of(std::int64_t mtime) {
  timespec time{};
  time.tv_sec = mtime;
  return {time, time};
}

[[noreturn]] void throw_chown(const fs::FileMetadata& metadata, const std::string& shown) {
  const int code = errno;
  Error error(ErrorKind::failure,
              fmt::format("set owner {}:{} of {}: {}", metadata.uid, metadata.gid, shown, std::strerror(code)));
  if (code == EINVAL) {
    error.add_hint(
        "the id is not mapped in this user namespace; give the user a larger range in /etc/subuid and "
        "/etc/subgid");
  }
  throw error;
}

// Attributes of the host's security policy, and trusted.* in a user namespace, can't be set there and would mean
// nothing; file capabilities and user.* are content.
bool is_essential(const std::string& name) {
  return name == "security.capability" || name.starts_with("user.");
}

template <typename Set>
void set_xattrs(const fs::FileMetadata& metadata, const std::string& shown, const Set& set) {
  for (const auto& [name, value] : metadata.xattrs) {
    if (set(name.c_str(), value.data(), value.size()) == 0) continue;
    const int code = errno;
    if (!is_essential(name) && (code == EPERM || code == ENOTSUP)) {
      spdlog::debug("{}: extended attribute {} is left out: {}", shown, name, std::strerror(code));
      continue;
    }
    Error error(ErrorKind::failure,
                fmt::format("set extended attribute {} of {}: {}", name, shown, std::strerror(code)));
    if (code == ENOTSUP) {
      error.add_hint(
          "the file system of the cache can't hold this attribute; set TEKTII_CACHE_DIR to a directory on "
          "ext4, xfs or btrfs");
    }
    throw error;
  }
}

}  // namespace

void set_attributes(int fd, const fs::FileMetadata& metadata, const std::string& shown) {
  // A file that this process has just made is its own already; that saves a system call for nearly every file.
  if (metadata.uid != ::geteuid() || metadata.gid != ::getegid()) {
    if (::fchown(fd, metadata.uid, metadata.gid) != 0) throw_chown(metadata, shown);
  }
  set_xattrs(metadata, shown, [fd](const char* name, const void* value, std::size_t size) {
    return ::fsetxattr(fd, name, value, size, 0);
  });
  if (::fchmod(fd, metadata.mode) != 0) throw_errno("set mode of " + shown);
  if (::futimens(fd, times_of(metadata.mtime).data()) != 0) throw_errno("set time of " + shown);
}

void set_attributes_at(int parent, const std::string& name, const fs::FileMetadata& metadata,
                       const std::string& shown) {
  if (metadata.uid != ::geteuid() || metadata.gid != ::getegid()) {
    if (::fchownat(parent, name.c_str(), metadata.uid, metadata.gid, AT_SYMLINK_NOFOLLOW) != 0) {
      throw_chown(metadata, shown);
    }
  }
  if (!metadata.xattrs.empty()) {
    // There is no lsetxattrat(2); the parent is a directory that is held open, and lsetxattr does not follow the rest.
    const std::string path = fmt::format("/proc/self/fd/{}/{}", parent, name);
    set_xattrs(metadata, shown, [&path](const char* xattr, const void* value, std::size_t size) {
      return ::lsetxattr(path.c_str(), xattr, value, size, 0);
    });
  }
  if (metadata.type != fs::FileType::symlink) {
    // Just made by this process in a directory of its own, and no symlink.
    if (::fchmodat(parent, name.c_str(), metadata.mode, 0) != 0) throw_errno("set mode of " + shown);
  }
  set_mtime_at(parent, name, metadata.mtime, shown);
}

void set_mtime_at(int parent, const std::string& name, std::int64_t mtime, const std::string& shown) {
  if (::utimensat(parent, name.c_str(), times_of(mtime).data(), AT_SYMLINK_NOFOLLOW) != 0) {
    throw_errno("set time of " + shown);
  }
}

void set_overlay_opaque(int fd, const std::string& shown) {
  if (::fsetxattr(fd, k_overlay_opaque, "y", 1, 0) == 0) return;
  const int code = errno;
  Error error(ErrorKind::failure,
              fmt::format("set extended attribute {} of {}: {}", k_overlay_opaque, shown, std::strerror(code)));
  if (code == ENOTSUP) {
    error.add_hint(
        "the file system of the cache has no user attributes; set TEKTII_CACHE_DIR to a directory on ext4, "
        "xfs or btrfs");
  }
  throw error;
}

}  // namespace tektii::layer
