#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <spdlog/spdlog.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace tektii {

namespace {

// The entries are read before any is removed: POSIX leaves open what readdir sees of a directory that changes.
std::vector<std::string> list_directory(UniqueFd fd, const std::filesystem::path& path) {
  struct CloseDir {
    void operator()(DIR* handle) const { ::closedir(handle); }
  };
  const std::unique_ptr<DIR, CloseDir> handle(::fdopendir(fd.get()));
  if (!handle) throw_errno("read directory " + path.string());
  fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(handle.get());
    if (entry == nullptr) {
      if (errno != 0) throw_errno("read directory " + path.string());
      return names;
    }
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  }
}

UniqueFd open_directory_at(int parent, const char* name) {
  return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void remove_at(int parent, const std::string& name, const std::filesystem::path& path) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return;
  const int unlink_error = errno;
  // Linux says EISDIR for a directory, POSIX EPERM.
  if (unlink_error != EISDIR && unlink_error != EPERM) throw_errno("remove " + path.string(), unlink_error);

  auto directory = open_directory_at(parent, name.c_str());
  if (!directory && errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, 0) == 0)
    directory = open_directory_at(parent, name.c_str());
  if (!directory) {
    if (errno == ENOENT) return;
    throw_errno("remove " + path.string(), errno == ENOTDIR || errno == ELOOP ? unlink_error : errno);
  }
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) throw_errno("stat " + path.string());
  // A chmod that is refused (not our directory) shows up as the error of the removal itself, if it matters at all.
  if ((info.st_mode & 0700U) != 0700U && ::fchmod(directory.get(), 0700) != 0)
    spdlog::debug("chmod {}: {}", path.string(), std::strerror(errno));

  UniqueFd listing(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
  if (!listing) throw_errno("open " + path.string());
  for (const auto& entry : list_directory(std::move(listing), path)) remove_at(directory.get(), entry, path / entry);
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) throw_errno("remove " + path.string());
}

}  // namespace

void remove_tree(const std::filesystem::path& path) {
  remove_at(AT_FDCWD, path.string(), path);
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
