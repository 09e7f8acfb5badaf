#include "layer/tree_scan.hpp"

#include <tektii/util/error.hpp>

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace tektii::layer {

namespace {

constexpr std::size_t k_none = TreeRecord::k_none;

struct CloseDir {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// The names in an open directory, sorted, in one buffer: a string for each would be most of the work.
class Names {
 public:
  Names(int directory, const std::string& shown) {
    UniqueFd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!copy) throw_errno("open the directory /" + shown);
    const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(copy.get()));
    if (!stream) throw_errno("read the directory /" + shown);
    (void)copy.release();  // owned by the stream now
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      offsets_.push_back(text_.size());
      text_.append(name).push_back('\0');
    }
    if (errno != 0) throw_errno("read the directory /" + shown);
    std::sort(offsets_.begin(), offsets_.end(),
              [this](std::size_t a, std::size_t b) { return std::strcmp(&text_[a], &text_[b]) < 0; });
  }
  std::size_t size() const { return offsets_.size(); }
  const char* operator[](std::size_t i) const { return &text_[offsets_[i]]; }

 private:
  std::string text_;
  std::vector<std::size_t> offsets_;
};

}  // namespace

TreeScan::TreeScan(const TreeRecord* before, Report report, const std::stop_token& stop)
    : before_(before), report_(std::move(report)), stop_(stop) {}

TreeRecord TreeScan::run(int root) {
  struct stat status {};
  if (::fstat(root, &status) != 0) throw_errno("stat the root of the tree");
  if (before_ != nullptr) now_.reserve(before_->size() + before_->size() / 16 + 64, before_->name_bytes() + 4096);
  const std::size_t now = now_.open("", status);
  const bool same = before_ != nullptr && before_->entry(0) == now_.entry(0);
  scan_directory(root, before_ != nullptr ? 0 : k_none, same);
  now_.close(now);
  return std::move(now_);
}

void TreeScan::scan_directory(int directory, std::size_t before, bool same_names) {
  throw_if_stopped(stop_);
  if (same_names) {
    scan_known_names(directory, before);
  } else {
    scan_names(directory, before);
  }
}

void TreeScan::scan_known_names(int directory, std::size_t before) {
  for (std::size_t i = before + 1; i < before_->end(before); i = before_->end(i)) {
    visit(directory, before_->name(i), i);
  }
}

// Both lists are sorted.
void TreeScan::scan_names(int directory, std::size_t before) {
  const Names names(directory, path_);
  std::size_t old = before == k_none ? 0 : before + 1;
  const std::size_t old_end = before == k_none ? 0 : before_->end(before);
  std::size_t i = 0;
  while (i < names.size() || old < old_end) {
    const int order = old >= old_end ? -1 : i >= names.size() ? 1 : std::strcmp(names[i], before_->name(old));
    if (order < 0) {
      visit(directory, names[i], k_none);
    } else if (order == 0) {
      visit(directory, names[i], old);
    } else {
      TreeDifference gone;
      gone.kind = TreeDifference::Kind::gone;
      gone.parent = directory;
      gone.before = old;
      report(gone, before_->name(old));
    }
    if (order <= 0) ++i;
    if (order >= 0) old = before_->end(old);
  }
}

void TreeScan::visit(int directory, const char* name, std::size_t before) {
  struct stat status {};
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) throw_errno("stat /" + path_ + "/" + name);
  const std::size_t now = now_.open(name, status);
  const bool same = before != k_none && before_->entry(before) == now_.entry(now);
  if (!same && before_ != nullptr) {
    TreeDifference difference;
    difference.parent = directory;
    difference.status = &status;
    difference.before = before;
    difference.now = now;
    if (!report(difference, name)) return now_.drop_last();
  }
  if (S_ISDIR(status.st_mode)) enter(directory, name, status, before, now, same);
  now_.close(now);
}

void TreeScan::enter(int directory, const char* name, const struct stat& status, std::size_t before, std::size_t now,
                     bool same) {
  const UniqueFd child(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!child) throw_errno("open the directory /" + path_ + "/" + name);
  const std::size_t above = path_.size();
  if (!path_.empty()) path_ += '/';
  path_ += name;
  levels_.push_back({directory, name, status, before, now, path_.size(), !same});
  const bool was_directory = before != k_none && before_->entry(before).is_directory();
  scan_directory(child.get(), was_directory ? before : k_none, same);
  levels_.pop_back();
  path_.resize(above);
}

void TreeScan::report_parents() {
  for (Level& level : levels_) {
    if (level.reported) continue;
    level.reported = true;
    TreeDifference difference;
    difference.kind = TreeDifference::Kind::context;
    difference.path = std::string_view(path_).substr(0, level.path_size);
    difference.parent = level.parent;
    difference.name = level.name;
    difference.status = &level.status;
    difference.before = level.before;
    difference.now = level.now;
    report_(difference);
  }
}

bool TreeScan::report(TreeDifference difference, const char* name) {
  report_parents();
  const std::size_t above = path_.size();
  if (!path_.empty()) path_ += '/';
  path_ += name;
  difference.path = path_;
  difference.name = name;
  const bool kept = report_(difference);
  path_.resize(above);
  return kept;
}

}  // namespace tektii::layer
