#include "layer/change_set.hpp"

#include "layer/file_attributes.hpp"
#include "layer/file_status.hpp"
#include "layer/member_name.hpp"
#include <tektii/util/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace tektii::layer {

using fs::FileType;

ChangeSet::ChangeSet(DirStack& files, const FileTree& parent, SameContent same_content, const DiffOptions& options,
                     const std::stop_token& stop)
    : files_(files), parent_(parent), same_content_(std::move(same_content)), options_(options), stop_(stop) {}

void ChangeSet::drop_unchanged() {
  drop_unchanged_files();
  drop_unchanged_directories();
}

std::int64_t ChangeSet::clamped(std::int64_t mtime) const {
  return options_.clamp_mtime ? std::min(mtime, *options_.clamp_mtime) : mtime;
}

// Leaves out what was copied up and is as it was, and turns all but the first name of a file into hard links.
void ChangeSet::drop_unchanged_files() {
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

bool ChangeSet::is_unchanged(const Change& change) {
  const FileTree::Node* old = parent_.find(change.path);
  if (old == nullptr || comparable(old->metadata) != change.metadata) return false;
  if (change.metadata.type != FileType::regular || change.metadata.size == 0) return true;
  return same_content_(*old, change.path, open(change.path).get());
}

// A directory is written when something in it is, as every other builder does: a layer that has all parents of its
// entries means the same to readers that make missing parents in different ways. Its time alone is no reason.
void ChangeSet::drop_unchanged_directories() {
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

UniqueFd ChangeSet::open(const std::string& path) {
  const std::optional<int> parent = files_.enter(parent_path(path));
  const std::string name(base_name(path));
  UniqueFd fd(parent ? ::openat(*parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1);
  if (!fd) throw_errno("open " + (files_.root() / path).string());
  return fd;
}

void ChangeSet::write(LayerWriter& writer) {
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
        return std::make_unique<FdSource>(open(change.path), (files_.root() / change.path).string());
      });
    }
  }
}

// The directory may become the unpacked form of the layer, or the next command sees it, so its times have to be those
// of the layer.
void ChangeSet::set_times() {
  if (!options_.clamp_mtime) return;
  for (const Change& change : changes_) {
    if (change.kind == Change::Kind::whiteout) continue;
    std::int64_t mtime = clamped(change.metadata.mtime);
    if (!change.written) {
      const FileTree::Node* old = parent_.find(change.path);
      if (old != nullptr) mtime = old->metadata.mtime;
    }
    const std::optional<int> parent = files_.enter(parent_path(change.path));
    if (!parent) throw_errno("open the parent of " + change.path);
    set_mtime_at(*parent, std::string(base_name(change.path)), mtime, change.path);
  }
  set_mtime_at(AT_FDCWD, files_.root().string(), *options_.clamp_mtime, files_.root().string());
}

}  // namespace tektii::layer
