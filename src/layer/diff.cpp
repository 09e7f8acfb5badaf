#include "layer/change_set.hpp"
#include "layer/dir_stack.hpp"
#include "layer/file_status.hpp"
#include "layer/lower_content.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include <tektii/fs/walk.hpp>
#include <tektii/layer/diff.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace tektii::layer {

namespace {

using fs::FileType;

// With these, overlayfs keeps only a part of a file in the upper directory.
void refuse_partial_copies(const fs::WalkEntry& entry) {
  for (const auto& xattr : entry.metadata.xattrs) {
    if (is_overlay_xattr(xattr.first) && (xattr.first.ends_with(".redirect") || xattr.first.ends_with(".metacopy"))) {
      throw Error(ErrorKind::failure,
                  fmt::format("{}: overlayfs was mounted with redirect_dir or metacopy ({})", entry.path, xattr.first));
    }
  }
}

class Diff {
 public:
  Diff(const std::filesystem::path& upper, const FileTree& parent, const std::vector<std::filesystem::path>& lower_dirs,
       const DiffOptions& options, const std::stop_token& stop)
      : upper_(upper),
        parent_(parent),
        lower_(lower_dirs),
        stop_(stop),
        set_(
            upper_, parent,
            [this](const FileTree::Node&, const std::string& path, int fd) {
              return lower_.has_same_content(path, fd, stop_);
            },
            options, stop) {}

  void run(LayerWriter& writer) {
    collect();
    expand_opaque_directories();
    set_.drop_unchanged();
    set_.write(writer);
    set_.set_times();
  }

 private:
  void collect();
  void drop_socket(const std::string& path);
  void expand_opaque_directories();

  DirStack upper_;
  const FileTree& parent_;
  LowerContent lower_;
  const std::stop_token& stop_;
  ChangeSet set_;
  std::unordered_set<std::string> upper_paths_;
};

void Diff::collect() {
  fs::walk_tree(upper_.root(), fs::WalkOptions{}, [this](const fs::WalkEntry& entry) {
    throw_if_stopped(stop_);
    if (entry.metadata.type == FileType::socket) {
      drop_socket(entry.path);
      return fs::WalkAction::keep_going;
    }
    refuse_partial_copies(entry);
    Change change;
    change.path = entry.path;
    change.metadata = entry.metadata;
    if (is_overlay_whiteout(entry.metadata)) {
      // Overlayfs makes them only where there is something to hide, but what the layers say is what counts.
      if (parent_.find(entry.path) == nullptr) return fs::WalkAction::keep_going;
      change.kind = Change::Kind::whiteout;
    } else {
      upper_paths_.insert(entry.path);
      change.opaque = entry.metadata.type == FileType::directory && is_overlay_opaque(entry.metadata.xattrs);
      std::erase_if(change.metadata.xattrs, [](const auto& xattr) { return !is_layer_xattr(xattr.first); });
      if (entry.metadata.type == FileType::regular && entry.link_count > 1) {
        change.inode = {entry.device, entry.inode};
      }
    }
    set_.changes().push_back(std::move(change));
    return fs::WalkAction::keep_going;
  });
}

// A layer can't hold a socket. It goes from the upper directory as well, which may become the unpacked form of the
// layer; where it took the name of a file, the file stays removed.
void Diff::drop_socket(const std::string& path) {
  const std::string full = (upper_.root() / path).string();
  if (::unlink(full.c_str()) != 0) throw_errno("remove the socket " + path);
  if (parent_.find(path) == nullptr) return;
  if (::mknod(full.c_str(), S_IFCHR, makedev(0, 0)) != 0) throw_errno("write the whiteout of " + path);
  Change change;
  change.path = path;
  change.kind = Change::Kind::whiteout;
  set_.changes().push_back(std::move(change));
}

// An opaque directory hides everything that the parent has in it. image-spec asks for explicit whiteouts, which say the
// same without depending on a reader's idea of opaque. A directory below an opaque one hides just as much, without a
// mark of its own.
void Diff::expand_opaque_directories() {
  std::vector<Change> whiteouts;
  std::vector<Change>& changes = set_.changes();
  std::string opaque_above;  // the opaque directory that the walk is in
  bool inside = false;
  for (const Change& change : changes) {
    if (inside && !(change.path.starts_with(opaque_above) && change.path[opaque_above.size()] == '/')) inside = false;
    if (change.kind == Change::Kind::whiteout || change.metadata.type != FileType::directory) continue;
    if (!inside && change.opaque) {
      inside = true;
      opaque_above = change.path;
    }
    if (!inside) continue;
    const FileTree::Node* node = parent_.find(change.path);
    if (node == nullptr) continue;
    for (const auto& child : node->children()) {
      std::string path = fmt::format("{}/{}", change.path, child.first);
      if (upper_paths_.contains(path)) continue;
      Change whiteout;
      whiteout.kind = Change::Kind::whiteout;
      whiteout.path = std::move(path);
      whiteouts.push_back(std::move(whiteout));
    }
  }
  changes.insert(changes.end(), std::make_move_iterator(whiteouts.begin()), std::make_move_iterator(whiteouts.end()));
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return path_less(a.path, b.path); });
}

}  // namespace

void diff_to_layer(const std::filesystem::path& upper, const FileTree& parent,
                   const std::vector<std::filesystem::path>& lower_dirs, const DiffOptions& options,
                   LayerWriter& writer, const std::stop_token& stop) {
  Diff(upper, parent, lower_dirs, options, stop).run(writer);
}

}  // namespace tektii::layer
