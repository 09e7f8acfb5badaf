#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/tree_cursor.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tektii {

namespace {

UniqueFd open_directory_at(int parent, const char* name) {
  return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Removes what is no directory, and what is gone already; else opens the directory, which we let ourselves into.
UniqueFd remove_or_open(int parent, const std::string& name, const std::function<std::string()>& path) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  const int unlink_error = errno;
  // Linux says EISDIR for a directory, POSIX EPERM.
  if (unlink_error != EISDIR && unlink_error != EPERM) throw_errno("remove " + path(), unlink_error);

  auto directory = open_directory_at(parent, name.c_str());
  if (!directory && errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, 0) == 0)
    directory = open_directory_at(parent, name.c_str());
  if (!directory) {
    if (errno == ENOENT) return {};
    throw_errno("remove " + path(), errno == ENOTDIR || errno == ELOOP ? unlink_error : errno);
  }
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) throw_errno("stat " + path());
  // A chmod that is refused (not our directory) shows up as the error of the removal itself, if it matters at all.
  if ((info.st_mode & 0700U) != 0700U && ::fchmod(directory.get(), 0700) != 0)
    spdlog::debug("chmod {}: {}", path(), std::strerror(errno));
  return directory;
}

// The entries are read before any is removed: POSIX leaves open what readdir sees of a directory that changes.
std::vector<std::string> list(const TreeCursor& cursor) {
  auto fd = open_directory_at(cursor.fd(), ".");
  if (!fd) throw_errno("open " + cursor.path());
  return list_directory(std::move(fd), cursor.path());
}

// False when other processes work on the same tree, so that it is to be looked at anew.
bool remove_content(TreeCursor& cursor) {
  std::vector<std::vector<std::string>> left = {list(cursor)};
  for (;;) {
    if (!left.back().empty()) {
      auto name = std::move(left.back().back());
      left.back().pop_back();
      auto directory = remove_or_open(cursor.fd(), name, [&] { return cursor.path(name); });
      if (!directory) continue;
      cursor.enter(std::move(directory), std::move(name));
      left.push_back(list(cursor));
      continue;
    }
    left.pop_back();
    if (cursor.is_at_top()) return true;
    const auto name = cursor.leave();
    if (!name) return false;
    if (::unlinkat(cursor.fd(), name->c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      throw_errno("remove " + cursor.path(*name));
  }
}

}  // namespace

void remove_tree(const std::filesystem::path& path) {
  constexpr int k_attempts = 16;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    auto top = remove_or_open(AT_FDCWD, path.string(), [&] { return path.string(); });
    if (!top) return;
    TreeCursor cursor(std::move(top), path.string());
    if (!remove_content(cursor)) continue;
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT) throw_errno("remove " + path.string());
    return;
  }
  throw Error(ErrorKind::failure, "remove " + path.string() + ": other processes move directories in it");
}

TempDir::TempDir(std::string_view prefix, const std::filesystem::path& parent) {
  auto base = parent;
  if (base.empty()) {
    const char* configured = std::getenv("TMPDIR");
    base = configured != nullptr && *configured != '\0' ? configured : "/tmp";
  }
  auto pattern = (base / (std::string(prefix) + "XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) throw_errno("create a temporary directory in " + base.string());
  path_ = pattern;
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  try {
    remove_tree(path_);
  } catch (const std::exception& error) {
    spdlog::warn("a temporary directory stays behind: {}", error.what());
  }
}

std::filesystem::path TempDir::release() {
  auto path = std::move(path_);
  path_.clear();
  return path;
}

}  // namespace tektii
