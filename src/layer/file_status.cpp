#include "layer/file_status.hpp"

#include "layer/overlay_format.hpp"
#include <tektii/fs/xattrs.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace tektii::layer {

namespace {

fs::FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return fs::FileType::directory;
    case S_IFLNK:
      return fs::FileType::symlink;
    case S_IFCHR:
      return fs::FileType::char_device;
    case S_IFBLK:
      return fs::FileType::block_device;
    case S_IFIFO:
      return fs::FileType::fifo;
    case S_IFSOCK:
      return fs::FileType::socket;
    default:
      return fs::FileType::regular;
  }
}

std::string read_link_at(int parent, const std::string& name, const std::string& shown) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t length = ::readlinkat(parent, name.c_str(), target.data(), target.size());
    if (length < 0) throw_errno("read the link " + shown);
    if (static_cast<std::size_t>(length) < target.size()) {
      target.resize(static_cast<std::size_t>(length));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

}  // namespace

fs::FileMetadata read_metadata_at(int parent, const std::string& name, const struct stat& status,
                                  const std::string& shown) {
  fs::FileMetadata metadata;
  metadata.type = type_of(status.st_mode);
  metadata.mode = status.st_mode & 07777U;
  metadata.uid = status.st_uid;
  metadata.gid = status.st_gid;
  metadata.mtime = status.st_mtim.tv_sec;
  if (S_ISREG(status.st_mode)) metadata.size = static_cast<std::uint64_t>(status.st_size);
  if (S_ISLNK(status.st_mode)) metadata.link_target = read_link_at(parent, name, shown);
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    metadata.device_major = major(status.st_rdev);
    metadata.device_minor = minor(status.st_rdev);
  }
  metadata.xattrs = fs::read_xattrs_at(parent, name, shown);
  return metadata;
}

bool is_layer_xattr(std::string_view name) {
  if (is_overlay_xattr(name) || name.starts_with("trusted.")) return false;
  return !name.starts_with("security.") || name == "security.capability";
}

fs::FileMetadata comparable(fs::FileMetadata metadata) {
  std::erase_if(metadata.xattrs, [](const auto& xattr) { return !is_layer_xattr(xattr.first); });
  return metadata;
}

}  // namespace tektii::layer
