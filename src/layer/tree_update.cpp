#include "layer/tree_update.hpp"

#include "layer/file_attributes.hpp"
#include "layer/file_status.hpp"
#include "layer/member_name.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <optional>

namespace tektii::layer {

namespace {

bool is_directory(const FileTree::Node* node) {
  return node != nullptr && node->metadata.type == fs::FileType::directory;
}

}  // namespace

TreeUpdate::TreeUpdate(const FileTree& next, TreeMaker& maker, DirStack& root, const std::stop_token& stop)
    : next_(next), maker_(maker), root_(root), stop_(stop) {}

void TreeUpdate::run(std::size_t layers) {
  for (const FileTree::Touched& touched : next_.touched_since(layers)) {
    throw_if_stopped(stop_);
    if (!is_done(touched.path) && make_parents(touched.path)) update(touched.path, touched.replaced);
  }
  set_directories();
}

bool TreeUpdate::is_done(std::string_view path) const {
  return !done_.empty() && path.starts_with(done_) && (path.size() == done_.size() || path[done_.size()] == '/');
}

// Makes the directories on the way that no entry of the layers speaks of. False when there is none in the tree either,
// or one of them came into being with all that is in it.
bool TreeUpdate::make_parents(const std::string& path) {
  if (root_.enter(parent_path(path))) return true;
  for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string above = path.substr(0, end);
    if (!is_directory(next_.find(above))) return false;
    if (root_.enter(above)) continue;
    update(above, false);
    return false;
  }
  return false;
}

void TreeUpdate::update(const std::string& path, bool replaced) {
  const std::string parent(parent_path(path));
  const std::string name(base_name(path));
  std::optional<int> into = root_.enter(parent);
  if (!into) throw_errno("open the directory /" + parent);
  struct stat status {};
  const bool is_there = ::fstatat(*into, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!is_there && errno != ENOENT) throw_errno("stat /" + path);
  const FileTree::Node* node = next_.find(path);
  if (is_there && S_ISDIR(status.st_mode) && is_directory(node) && !replaced) {
    touched_.insert(path);
    return;
  }
  if (!is_there && node == nullptr) return;
  if (is_there) remove(path);
  touched_.insert(parent);
  if (node == nullptr) return;
  into = root_.enter(parent);
  // One of our own: looking for the other names of a file goes to other directories.
  const UniqueFd directory(into ? ::openat(*into, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
  if (!directory) throw_errno("open the directory /" + parent);
  maker_.make(*node, path, name, root_, directory.get());
  if (is_directory(node)) done_ = path;
}

void TreeUpdate::remove(const std::string& path) {
  root_.forget(path);
  remove_tree(root_.root() / path);
}

void TreeUpdate::set_directories() {
  for (const std::string& path : touched_) {
    const FileTree::Node* node = next_.find(path);
    // The root is in no layer, and one that was removed later has gone.
    if (path.empty() || !is_directory(node)) continue;
    const std::optional<int> parent = root_.enter(parent_path(path));
    const std::string name(base_name(path));
    struct stat status {};
    const UniqueFd directory(parent ? ::openat(*parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                    : -1);
    if (!directory || ::fstat(directory.get(), &status) != 0) throw_errno("open the directory /" + path);
    for (const auto& [attribute, value] : comparable(read_metadata_at(*parent, name, status, "/" + path)).xattrs) {
      if (node->metadata.xattrs.contains(attribute)) continue;
      if (::fremovexattr(directory.get(), attribute.c_str()) != 0) throw_errno("remove an attribute of /" + path);
    }
    // set_attributes() leaves the owner alone where it is this process's already.
    if (::fchown(directory.get(), node->metadata.uid, node->metadata.gid) != 0) throw_errno("set owner of /" + path);
    set_attributes(directory.get(), node->metadata, "/" + path);
  }
}

}  // namespace tektii::layer
