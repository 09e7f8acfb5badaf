#include "layer/dir_stack.hpp"

#include <tektii/util/error.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace tektii::layer {

namespace {

std::string_view first_component(std::string_view path) {
  return path.substr(0, path.find('/'));
}

std::string_view without_first(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
}

}  // namespace

DirStack::DirStack(std::filesystem::path root)
    : root_(std::move(root)), root_fd_(open_file(root_, O_RDONLY | O_DIRECTORY)) {}

std::optional<int> DirStack::enter(std::string_view directory) {
  std::string_view rest = directory;
  std::size_t depth = 0;
  while (depth < levels_.size() && !rest.empty() && levels_[depth].name == first_component(rest)) {
    rest = without_first(rest);
    ++depth;
  }
  levels_.resize(depth);
  while (!rest.empty()) {
    std::string name(first_component(rest));
    UniqueFd fd(::openat(top(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
      throw_errno("open " + (root_ / directory).string());
    }
    levels_.push_back({std::move(name), std::move(fd)});
    rest = without_first(rest);
  }
  return top();
}

void DirStack::forget(std::string_view path) {
  std::size_t depth = 0;
  while (depth < levels_.size() && levels_[depth].name == first_component(path)) {
    path = without_first(path);
    if (path.empty()) {
      levels_.resize(depth);
      return;
    }
    ++depth;
  }
}

std::string DirStack::deepest() const {
  std::string path;
  for (const Level& level : levels_) path.append(path.empty() ? "" : "/").append(level.name);
  return path;
}

}  // namespace tektii::layer
