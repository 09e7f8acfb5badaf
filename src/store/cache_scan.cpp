#include "store/cache_scan.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/tree_cursor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_block = 512;  // of st_blocks, whatever the file system's own is

// Directories and files vanish while they are measured: other processes finish their work.
bool is_gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

}  // namespace

CacheScan::CacheScan(fs::path root, FileTime cutoff, GcState& state, std::stop_token stop)
    : root_(std::move(root)), cutoff_(cutoff), state_(state), stop_(std::move(stop)) {}

void CacheScan::add(const CacheArea& area, const std::set<fs::path>& kept) {
  std::error_code missing;
  for (const auto& item : fs::directory_iterator(root_ / area.directory, missing)) {
    throw_if_stopped(stop_);
    const auto name = item.path().filename().string();
    if (area.is_entry && !area.is_entry(name)) continue;
    const auto status = file_status(item.path());
    if (!status) continue;
    CacheEntry entry;
    entry.kind = area.kind;
    entry.path = area.directory / name;
    entry.last_used = mtime_of(*status);
    entry.in_use = entry.last_used >= cutoff_;
    entry.is_rubbish = area.is_rubbish;
    entry.kept = kept.contains(entry.path);
    entry.out_of_reach = area.needs_root && ::geteuid() != 0;
    entry.size = size_of(entry.path, *status, entry.in_use, !entry.out_of_reach);
    entries_.push_back(std::move(entry));
  }
}

std::vector<CacheEntry> CacheScan::take() {
  state_.directories = std::move(measured_);
  return std::move(entries_);
}

// A directory that nobody uses does not change, so its size is measured once. Its mtime is the time of its last use.
std::uint64_t CacheScan::size_of(const fs::path& path, const struct stat& status, bool in_use, bool readable) {
  if (!S_ISDIR(status.st_mode)) return count(status);
  const auto known = state_.directories.find(path.string());
  const bool is_known = known != state_.directories.end();
  const auto time = mtime_of(status).time_since_epoch().count();
  MeasuredDirectory directory{time, status.st_ino, 0};
  if (is_known && (!readable || (!in_use && known->second.is_same(directory)))) {
    directory.size = known->second.size;
  } else if (readable) {
    directory.size = measure(path, status);
  }
  // Whoever uses it may add to it until the end of its process.
  if (in_use) directory.time = 0;
  measured_.insert_or_assign(path.string(), directory);
  return directory.size;
}

std::uint64_t CacheScan::count(const struct stat& status) {
  if (status.st_nlink > 1 && !S_ISDIR(status.st_mode) && !seen_links_.emplace(status.st_dev, status.st_ino).second) {
    return 0;
  }
  return static_cast<std::uint64_t>(status.st_blocks) * k_block;
}

// The children of the directory that the cursor is at: all are counted, and the directories among them returned.
std::vector<std::string> CacheScan::count_children(const TreeCursor& cursor, std::uint64_t& total) {
  std::vector<std::string> directories;
  UniqueFd fd(::openat(cursor.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    if (is_gone(errno) || errno == EACCES) return directories;
    throw_errno("open " + cursor.path());
  }
  for (auto& name : list_directory(std::move(fd), cursor.path())) {
    throw_if_stopped(stop_);
    struct stat status {};
    if (::fstatat(cursor.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (is_gone(errno)) continue;
      throw_errno("stat " + cursor.path(name));
    }
    total += count(status);
    if (S_ISDIR(status.st_mode)) directories.push_back(std::move(name));
  }
  return directories;
}

std::uint64_t CacheScan::measure(const fs::path& path, const struct stat& status) {
  auto total = count(status);
  // O_PATH: one that can't be read has the size of its own alone.
  UniqueFd top(::open((root_ / path).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top) {
    if (is_gone(errno)) return total;
    throw_errno("open " + (root_ / path).string());
  }
  if (::faccessat(top.get(), ".", X_OK, AT_EACCESS) != 0) return total;
  TreeCursor cursor(std::move(top), path.string());
  std::vector<std::vector<std::string>> left = {count_children(cursor, total)};
  for (;;) {
    if (left.back().empty()) {
      left.pop_back();
      if (left.empty()) return total;
      if (!cursor.leave()) return total;  // somebody works in it: this is as good as any size that it had
      continue;
    }
    auto name = std::move(left.back().back());
    left.back().pop_back();
    UniqueFd directory(::openat(cursor.fd(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) {
      if (is_gone(errno)) continue;
      throw_errno("open " + cursor.path(name));
    }
    if (::faccessat(directory.get(), ".", X_OK, AT_EACCESS) != 0) continue;  // can't be searched, or is gone
    cursor.enter(std::move(directory), std::move(name));
    left.push_back(count_children(cursor, total));
  }
}

}  // namespace tektii::store
