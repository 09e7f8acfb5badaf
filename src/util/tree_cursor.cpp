#include <tektii/util/error.hpp>
#include <tektii/util/tree_cursor.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace tektii {

namespace {

// To search a directory is all that is needed to go through it.
constexpr int k_way = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::pair<dev_t, ino_t> identity_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_errno("stat an open directory");
  return {status.st_dev, status.st_ino};
}

}  // namespace

TreeCursor::TreeCursor(UniqueFd top, std::string path) : fd_(std::move(top)), top_(std::move(path)) {
  top_fd_.reset(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!top_fd_) throw_errno("open " + top_);
}

std::string TreeCursor::path() const {
  auto path = top_;
  for (const auto& name : names_) path.append("/").append(name);
  return path;
}

std::string TreeCursor::path(const std::string& name) const {
  return path() + "/" + name;
}

void TreeCursor::enter(UniqueFd directory, std::string name) {
  parents_.push_back(identity_of(fd_.get()));
  names_.push_back(std::move(name));
  fd_ = std::move(directory);
}

// By the names: a directory that was moved away has another "..".
UniqueFd TreeCursor::parent_from_top() const {
  UniqueFd at(::openat(top_fd_.get(), ".", k_way));
  for (std::size_t i = 0; at && i + 1 < names_.size(); ++i) at.reset(::openat(at.get(), names_[i].c_str(), k_way));
  return at;
}

std::optional<std::string> TreeCursor::leave() {
  UniqueFd parent(::openat(fd_.get(), "..", k_way));
  if (!parent || identity_of(parent.get()) != parents_.back()) parent = parent_from_top();
  if (!parent || identity_of(parent.get()) != parents_.back()) return std::nullopt;
  fd_ = std::move(parent);
  auto name = std::move(names_.back());
  names_.pop_back();
  parents_.pop_back();
  return name;
}

std::vector<std::string> list_directory(UniqueFd directory, const std::string& path) {
  struct CloseDir {
    void operator()(DIR* handle) const { ::closedir(handle); }
  };
  const std::unique_ptr<DIR, CloseDir> handle(::fdopendir(directory.get()));
  if (!handle) throw_errno("read directory " + path);
  directory.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(handle.get());
    if (entry == nullptr) {
      if (errno != 0) throw_errno("read directory " + path);
      return names;
    }
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  }
}

}  // namespace tektii
