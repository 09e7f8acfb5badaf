#include "root_walk.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tektii::fs {

namespace {

constexpr int k_max_links = 40;  // MAXSYMLINKS of the kernel

}  // namespace

void RootWalk::push_pending(std::string_view path) {
  std::size_t end = path.size();
  while (end > 0) {
    const std::size_t slash = path.rfind('/', end - 1);
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    if (end > begin) pending_.emplace_back(path.substr(begin, end - begin));
    if (slash == std::string_view::npos) break;
    end = slash;
  }
}

// Takes the next name that is not "." or ".."; false at the end of the path.
bool RootWalk::next_component() {
  while (!pending_.empty()) {
    component_ = std::move(pending_.back());
    pending_.pop_back();
    if (component_ == ".") continue;
    if (component_ != "..") return true;
    if (!stack_.empty()) stack_.pop_back();
  }
  return false;
}

int RootWalk::splice_link(int link_fd) {
  if (!allow_symlinks_ || ++links_followed_ > k_max_links) return ELOOP;
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(link_fd, "", target.data(), target.size());
  if (length < 0) return errno;
  if (length == 0) return ENOENT;
  const std::string_view text(target.data(), static_cast<std::size_t>(length));
  if (text.front() == '/') stack_.clear();
  push_pending(text);
  return 0;
}

// Handles one component: a symlink is spliced into the path, a directory with something after it is entered. `at_end`
// leaves the last component, which exists, to the caller; `missing` a component that does not exist or is in the way.
RootWalk::Step RootWalk::enter(bool follow_last, int& error_number) {
  if (!next_component()) return Step::done;
  component_fd_.reset(::openat(current(), component_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!component_fd_) {
    error_number = errno;
    return error_number == ENOENT || error_number == ENOTDIR ? Step::missing : Step::failed;
  }
  struct stat info {};
  if (::fstat(component_fd_.get(), &info) != 0) {
    error_number = errno;
    return Step::failed;
  }
  const bool last = pending_.empty();
  if (S_ISLNK(info.st_mode) && (!last || follow_last)) {
    error_number = splice_link(component_fd_.get());
    return error_number == 0 ? Step::entered : Step::failed;
  }
  if (last) return Step::at_end;
  if (!S_ISDIR(info.st_mode)) {
    error_number = ENOTDIR;
    return Step::missing;
  }
  stack_.push_back({component_, std::move(component_fd_)});
  return Step::entered;
}

OpenResult RootWalk::open(std::string_view path, int flags, mode_t mode) {
  if (path.ends_with('/') && (flags & O_CREAT) == 0) flags |= O_DIRECTORY;
  push_pending(path);
  const bool follow_last = (flags & O_NOFOLLOW) == 0;
  int error_number = 0;
  Step step = Step::entered;
  while (step == Step::entered) step = enter(follow_last, error_number);
  if (step == Step::failed) return {UniqueFd(), error_number};
  const bool can_create = pending_.empty() && (flags & O_CREAT) != 0 && error_number == ENOENT;
  if (step == Step::missing && !can_create) return {UniqueFd(), error_number};
  // O_NOFOLLOW also where the caller follows links: the name was seen not to be a link; one put there since is refused.
  const char* name = step == Step::done ? "." : component_.c_str();
  UniqueFd fd(::openat(current(), name, flags | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) return {UniqueFd(), errno};
  return {std::move(fd), 0};
}

std::string RootWalk::resolve(std::string_view path, int& error_number) {
  push_pending(path);
  error_number = 0;
  Step step = Step::entered;
  while (step == Step::entered) step = enter(true, error_number);
  if (step == Step::failed) return {};
  error_number = 0;
  std::string resolved;
  const auto append = [&resolved](const std::string& name) {
    if (!resolved.empty()) resolved += '/';
    resolved += name;
  };
  for (const Level& level : stack_) append(level.name);
  if (step == Step::done) return resolved;
  append(component_);
  for (auto rest = pending_.rbegin(); rest != pending_.rend(); ++rest) {
    if (*rest == ".") continue;
    if (*rest != "..") {
      append(*rest);
      continue;
    }
    const std::size_t slash = resolved.rfind('/');
    resolved.erase(slash == std::string::npos ? 0 : slash);
  }
  return resolved;
}

}  // namespace tektii::fs
