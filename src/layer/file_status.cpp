#include "layer/file_status.hpp"

#include "layer/overlay_format.hpp"
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
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

// Calls a function that fills a buffer until the buffer is large enough; nullopt where the file system has no extended
// attributes or the attribute is gone.
template <typename Fill>
std::optional<std::string> read_growing(const std::string& shown, const Fill& fill) {
  constexpr std::size_t k_longest = std::size_t{1} << 20;
  std::string buffer(256, '\0');
  while (true) {
    const ssize_t length = fill(buffer.data(), buffer.size());
    if (length >= 0) {
      buffer.resize(static_cast<std::size_t>(length));
      return buffer;
    }
    if (errno == EOPNOTSUPP || errno == ENODATA) return std::nullopt;
    if (errno != ERANGE || buffer.size() > k_longest) throw_errno("read the extended attributes of " + shown);
    buffer.resize(buffer.size() * 4);
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

// There is no lgetxattrat() before Linux 6.13; the magic link gives the directory, and the last component is not
// followed.
std::map<std::string, std::string> read_xattrs_at(int parent, const std::string& name, const std::string& shown) {
  const std::string path = fmt::format("/proc/self/fd/{}/{}", parent, name);
  const auto names =
      read_growing(shown, [&](char* buffer, std::size_t size) { return ::llistxattr(path.c_str(), buffer, size); });
  std::map<std::string, std::string> xattrs;
  std::string_view rest = names ? std::string_view(*names) : std::string_view();
  while (!rest.empty()) {
    const std::string key(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(key.size() + 1, rest.size()));
    auto value = read_growing(
        shown, [&](char* buffer, std::size_t size) { return ::lgetxattr(path.c_str(), key.c_str(), buffer, size); });
    if (value) xattrs.emplace(key, std::move(*value));
  }
  return xattrs;
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
  metadata.xattrs = read_xattrs_at(parent, name, shown);
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
