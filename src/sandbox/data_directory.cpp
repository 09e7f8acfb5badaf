#include "sandbox/data_directory.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace tektii::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_prefix = "tektii-sandbox-";
constexpr const char* k_lock = "lock";

bool try_lock(const UniqueFd& file) {
  return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

UniqueFd lock_kept(const fs::path& directory) {
  const fs::path file = directory / k_lock;
  UniqueFd lock = open_file(file, O_RDWR | O_CREAT, 0600);
  if (try_lock(lock)) return lock;
  if (errno != EWOULDBLOCK) throw_errno(file.string());
  throw Error(ErrorKind::failure, fmt::format("{}: used by another sandbox", directory.string()));
}

// The file gets its name when it is locked already: a sweep must never find one that is not locked yet.
UniqueFd lock_new(const fs::path& directory) {
  const fs::path unnamed = directory / "lock.new";
  UniqueFd lock = open_file(unnamed, O_RDWR | O_CREAT, 0600);
  if (!try_lock(lock)) throw_errno(unnamed.string());
  fs::rename(unnamed, directory / k_lock);
  return lock;
}

bool is_own_directory(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

// A directory without a lock file belongs to a sandbox that is just starting.
void remove_if_dead(const fs::path& directory) {
  if (!directory.filename().string().starts_with(k_prefix) || !is_own_directory(directory)) return;
  const UniqueFd lock(::open((directory / k_lock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!lock || !try_lock(lock)) return;
  try {
    remove_tree(directory);
  } catch (const Error& error) {
    spdlog::debug("sandbox: a directory of a dead sandbox stays behind: {}", error.what());
  }
}

void sweep(const fs::path& parent) {
  std::error_code failed;
  for (fs::directory_iterator entry(parent, failed), end; !failed && entry != end; entry.increment(failed)) {
    remove_if_dead(entry->path());
  }
}

}  // namespace

DataDirectory::DataDirectory(const std::optional<fs::path>& given) {
  if (given) {
    path_ = *given;
    make_directories(path_);
    lock_ = lock_kept(path_);
    return;
  }
  temporary_.emplace(k_prefix);
  path_ = temporary_->path();
  lock_ = lock_new(path_);
  sweep(path_.parent_path());
}

}  // namespace tektii::sandbox
