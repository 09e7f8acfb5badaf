#include "layer/dir_stack.hpp"
#include "layer/file_attributes.hpp"
#include "layer/lower_content.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include <tektii/fs/walk.hpp>
#include <tektii/layer/diff.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <unordered_set>
#include <utility>

namespace tektii::layer {

namespace {

using fs::FileType;

// What content of an image an extended attribute can be. Labels of the host's security policy and what root alone can
// see would make the layer depend on who builds it where.
bool is_layer_xattr(std::string_view name) {
  if (is_overlay_xattr(name) || name.starts_with("trusted.")) return false;
  return !name.starts_with("security.") || name == "security.capability";
}

// A parent's metadata without the attributes that are not compared.
fs::FileMetadata comparable(fs::FileMetadata metadata) {
  std::erase_if(metadata.xattrs, [](const auto& xattr) { return !is_layer_xattr(xattr.first); });
  return metadata;
}

// With these, overlayfs keeps only a part of a file in the upper directory.
void refuse_partial_copies(const fs::WalkEntry& entry) {
  for (const auto& xattr : entry.metadata.xattrs) {
    if (is_overlay_xattr(xattr.first) && (xattr.first.ends_with(".redirect") || xattr.first.ends_with(".metacopy"))) {
      throw Error(ErrorKind::failure,
                  fmt::format("{}: overlayfs was mounted with redirect_dir or metacopy ({})", entry.path, xattr.first));
    }
  }
}

// A file with several names, by device and inode.
using InodeKey = std::pair<std::uint64_t, std::uint64_t>;

// One entry of the layer to be, or a file of the upper directory that turned out to be none.
struct Change {
  enum class Kind { file, hard_link, whiteout };
  Kind kind = Kind::file;
  std::string path;
  fs::FileMetadata metadata;      // as it is on disk, without attributes that are no content
  std::string hard_link_target;   // hard_link only
  bool opaque = false;            // a directory that hides all of the parent's
  std::optional<InodeKey> inode;  // of a regular file with several names
  bool written = true;
};

class Diff {
 public:
  Diff(const std::filesystem::path& upper, const FileTree& parent, const std::vector<std::filesystem::path>& lower_dirs,
       const DiffOptions& options, const std::stop_token& stop)
      : upper_(upper), parent_(parent), lower_(lower_dirs), options_(options), stop_(stop) {}

  void run(LayerWriter& writer) {
    collect();
    expand_opaque_directories();
    drop_unchanged();
    drop_unchanged_directories();
    write(writer);
    set_times();
  }

 private:
  void collect();
  void drop_socket(const std::string& path);
  void expand_opaque_directories();
  void drop_unchanged();
  void drop_unchanged_directories();
  void write(LayerWriter& writer);
  void set_times();

  bool is_unchanged(const Change& change);
  std::int64_t clamped(std::int64_t mtime) const {
    return options_.clamp_mtime ? std::min(mtime, *options_.clamp_mtime) : mtime;
  }
  UniqueFd open_upper(const std::string& path);

  DirStack upper_;
  const FileTree& parent_;
  LowerContent lower_;
  const DiffOptions& options_;
  const std::stop_token& stop_;
  std::vector<Change> changes_;  // in the order of the layer
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
    changes_.push_back(std::move(change));
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
  changes_.push_back(std::move(change));
}

// An opaque directory hides everything that the parent has in it. image-spec asks for explicit whiteouts, which say the
// same without depending on a reader's idea of opaque. A directory below an opaque one hides just as much, without a
// mark of its own.
void Diff::expand_opaque_directories() {
  std::vector<Change> whiteouts;
  std::string opaque_above;  // the opaque directory that the walk is in
  bool inside = false;
  for (const Change& change : changes_) {
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
  changes_.insert(changes_.end(), std::make_move_iterator(whiteouts.begin()), std::make_move_iterator(whiteouts.end()));
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return path_less(a.path, b.path); });
}

// Leaves out what was copied up and is as it was, and turns all but the first name of a file into hard links.
void Diff::drop_unchanged() {
  std::map<InodeKey, std::vector<Change*>> inodes;
  for (Change& change : changes_) {
    throw_if_stopped(stop_);
    if (change.kind != Change::Kind::file || change.metadata.type == FileType::directory) continue;
    change.written = !is_unchanged(change);
    if (change.inode) inodes[*change.inode].push_back(&change);
  }
  for (const auto& inode : inodes) {
    // A link can only lead to a file of the same layer, so one new name brings all of them in.
    const std::vector<Change*>& names = inode.second;
    const bool any = std::any_of(names.begin(), names.end(), [](const Change* name) { return name->written; });
    for (Change* name : names) {
      name->written = any;
      if (name == names.front()) continue;
      name->kind = Change::Kind::hard_link;
      name->hard_link_target = names.front()->path;
    }
  }
}

bool Diff::is_unchanged(const Change& change) {
  const FileTree::Node* old = parent_.find(change.path);
  if (old == nullptr || comparable(old->metadata) != change.metadata) return false;
  if (change.metadata.type != FileType::regular || change.metadata.size == 0) return true;
  return lower_.has_same_content(change.path, open_upper(change.path).get(), stop_);
}

// A directory is written when something in it is, as every other builder does: a layer that has all parents of its
// entries means the same to readers that make missing parents in different ways. Its time alone is no reason.
void Diff::drop_unchanged_directories() {
  std::unordered_set<std::string> needed;
  for (auto it = changes_.rbegin(); it != changes_.rend(); ++it) {
    if (it->kind == Change::Kind::file && it->metadata.type == FileType::directory && !needed.contains(it->path)) {
      const FileTree::Node* old = parent_.find(it->path);
      if (old != nullptr) {
        fs::FileMetadata same_time = comparable(old->metadata);
        same_time.mtime = it->metadata.mtime;
        it->written = same_time != it->metadata;
      }
    }
    if (!it->written) continue;
    for (std::string_view above = parent_path(it->path); !above.empty(); above = parent_path(above)) {
      if (!needed.insert(std::string(above)).second) break;
    }
  }
}

UniqueFd Diff::open_upper(const std::string& path) {
  const std::optional<int> parent = upper_.enter(parent_path(path));
  const std::string name(base_name(path));
  UniqueFd fd(parent ? ::openat(*parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1);
  if (!fd) throw_errno("open " + (upper_.root() / path).string());
  return fd;
}

void Diff::write(LayerWriter& writer) {
  // A whiteout has no time that would mean anything; this one is the same on every machine.
  const std::int64_t whiteout_time = options_.clamp_mtime.value_or(0);
  for (const Change& change : changes_) {
    throw_if_stopped(stop_);
    if (!change.written) continue;
    if (change.kind == Change::Kind::whiteout) {
      writer.add_whiteout(change.path, whiteout_time);
    } else if (change.kind == Change::Kind::hard_link) {
      writer.add_hard_link(change.path, change.hard_link_target);
    } else {
      fs::FileMetadata metadata = change.metadata;
      metadata.mtime = clamped(metadata.mtime);
      writer.add(change.path, metadata, [this, &change] {
        return std::make_unique<FdSource>(open_upper(change.path), (upper_.root() / change.path).string());
      });
    }
  }
}

// The upper directory may become the unpacked form of the layer, so its times have to be those of the layer.
void Diff::set_times() {
  if (!options_.clamp_mtime) return;
  for (const Change& change : changes_) {
    if (change.kind == Change::Kind::whiteout) continue;
    std::int64_t mtime = clamped(change.metadata.mtime);
    if (!change.written) {
      const FileTree::Node* old = parent_.find(change.path);
      if (old != nullptr) mtime = old->metadata.mtime;
    }
    const std::optional<int> parent = upper_.enter(parent_path(change.path));
    if (!parent) throw_errno("open the parent of " + change.path);
    set_mtime_at(*parent, std::string(base_name(change.path)), mtime, change.path);
  }
  set_mtime_at(AT_FDCWD, upper_.root().string(), *options_.clamp_mtime, upper_.root().string());
}

}  // namespace

void diff_to_layer(const std::filesystem::path& upper, const FileTree& parent,
                   const std::vector<std::filesystem::path>& lower_dirs, const DiffOptions& options,
                   LayerWriter& writer, const std::stop_token& stop) {
  Diff(upper, parent, lower_dirs, options, stop).run(writer);
}

}  // namespace tektii::layer
