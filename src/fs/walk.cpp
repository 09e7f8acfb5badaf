#include <tektii/fs/rooted_dir.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/fs/xattrs.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace tektii::fs {

namespace {

constexpr std::int64_t k_nanoseconds = 1'000'000'000;
constexpr std::size_t k_listing_size = std::size_t{64} << 10U;

std::int64_t to_nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * k_nanoseconds + time.tv_nsec;
}

FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symlink;
    case S_IFCHR:
      return FileType::char_device;
    case S_IFBLK:
      return FileType::block_device;
    case S_IFIFO:
      return FileType::fifo;
    case S_IFSOCK:
      return FileType::socket;
    default:
      return FileType::regular;
  }
}

class Walker {
 public:
  Walker(const std::filesystem::path& root, const WalkOptions& options,
         const std::function<WalkAction(const WalkEntry&)>& visit)
      : root_(root), options_(options), visit_(visit), listing_(k_listing_size) {}

  // `directory` was not read from yet.
  void walk_directory(int directory, const std::string& path) {
    for (const std::string& name : sorted_names(directory, path)) {
      visit_entry(directory, name, path.empty() ? name : path + '/' + name);
    }
  }

  void visit_entry(int directory, const std::string& name, std::string path) {
    const WalkEntry entry = read_entry(directory, name, std::move(path));
    if (visit_(entry) == WalkAction::skip_children || entry.metadata.type != FileType::directory) return;
    const UniqueFd child(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child) fail("can't open the directory", entry.path);
    walk_directory(child.get(), entry.path);
  }

 private:
  [[noreturn]] void fail(std::string_view what, const std::string& path, int error_number = errno) const {
    throw_errno(fmt::format("{} {}", what, (root_ / path).string()), error_number);
  }

  // A DIR would need a descriptor and a buffer of its own for each directory.
  std::vector<std::string> sorted_names(int directory, const std::string& path) {
    std::vector<std::string> names;
    while (true) {
      const ssize_t size = ::getdents64(directory, listing_.data(), listing_.size());
      if (size < 0) fail("can't read the directory", path);
      if (size == 0) break;
      for (ssize_t offset = 0; offset < size;) {
        const char* record = listing_.data() + offset;
        const std::string_view name = record + offsetof(dirent64, d_name);
        if (name != "." && name != "..") names.emplace_back(name);
        unsigned short length = 0;
        std::memcpy(&length, record + offsetof(dirent64, d_reclen), sizeof length);
        offset += length;
      }
    }
    std::sort(names.begin(), names.end());  // char_traits<char> compares as unsigned bytes
    return names;
  }

  WalkEntry read_entry(int directory, const std::string& name, std::string own_path) const {
    struct stat info {};
    if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) fail("can't stat", own_path);
    WalkEntry entry;
    entry.path = std::move(own_path);
    const std::string& path = entry.path;
    FileMetadata& metadata = entry.metadata;
    metadata.type = type_of(info.st_mode);
    metadata.mode = info.st_mode & 07777;
    metadata.uid = info.st_uid;
    metadata.gid = info.st_gid;
    metadata.mtime = info.st_mtim.tv_sec;
    if (S_ISREG(info.st_mode)) metadata.size = static_cast<std::uint64_t>(info.st_size);
    if (S_ISLNK(info.st_mode)) metadata.link_target = read_link(directory, name, path);
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      metadata.device_major = major(info.st_rdev);
      metadata.device_minor = minor(info.st_rdev);
    }
    if (options_.xattrs == WalkXattrs::all) metadata.xattrs = read_xattrs_at(directory, name, (root_ / path).string());
    entry.device = info.st_dev;
    entry.inode = info.st_ino;
    entry.link_count = info.st_nlink;
    entry.mtime_nanoseconds = to_nanoseconds(info.st_mtim);
    entry.ctime_nanoseconds = to_nanoseconds(info.st_ctim);
    return entry;
  }

  std::string read_link(int directory, const std::string& name, const std::string& path) const {
    std::string target(256, '\0');
    while (true) {
      const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
      if (length < 0) fail("can't read the link", path);
      if (static_cast<std::size_t>(length) < target.size()) {
        target.resize(static_cast<std::size_t>(length));
        return target;
      }
      target.resize(target.size() * 2);
    }
  }

  const std::filesystem::path& root_;
  const WalkOptions& options_;
  const std::function<WalkAction(const WalkEntry&)>& visit_;
  std::vector<char> listing_;  // what getdents64 gives, one directory at a time
};

std::string clean_start(std::string_view start) {
  while (start.starts_with('/')) start.remove_prefix(1);
  while (start.ends_with('/')) start.remove_suffix(1);
  return std::string(start);
}

}  // namespace

void walk_tree(const std::filesystem::path& root, const WalkOptions& options,
               const std::function<WalkAction(const WalkEntry&)>& visit) {
  const RootedDir rooted(root);
  Walker walker(root, options, visit);
  const std::string start = clean_start(options.start);
  if (start.empty()) {
    const UniqueFd directory = rooted.open_no_symlinks(".", O_RDONLY | O_DIRECTORY);
    walker.walk_directory(directory.get(), "");
    return;
  }
  const UniqueFd parent = rooted.open_parent(start);
  const std::size_t slash = start.rfind('/');
  walker.visit_entry(parent.get(), slash == std::string::npos ? start : start.substr(slash + 1), start);
}

}  // namespace tektii::fs
