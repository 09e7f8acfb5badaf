#include "copy_plan.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::builder {
namespace {

std::string join_path(const std::string& parent, const std::string& name) {
  if (name.empty()) return parent;
  return parent.empty() ? name : parent + "/" + name;
}

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

std::string without_leading_slash(const std::string& path) {
  return !path.empty() && path.front() == '/' ? path.substr(1) : path;
}

}  // namespace

const fs::FileMetadata* CopyPlan::existing(const std::string& path) const {
  if (const auto planned = entries_.find(path); planned != entries_.end()) return &planned->second.metadata;
  const auto* node = tree_.find(path);
  return node == nullptr ? nullptr : &node->metadata;
}

bool CopyPlan::is_directory(const std::string& destination) const {
  const auto resolved = tree_.resolve(destination);
  const auto* metadata = existing(without_leading_slash(resolved.path));
  return metadata != nullptr && metadata->type == fs::FileType::directory;
}

// Makes the directory and what is missing above it; returns where it really is (relative, without symlinks).
// Directories that exist are written again as they are: a layer that leaves a parent out makes it root's with 0755
// where layers are stacked as directories (overlayfs), and /tmp would lose its sticky bit.
std::string CopyPlan::make_directories(const std::string& destination) {
  const auto resolved = without_leading_slash(tree_.resolve(destination).path);
  std::string path;
  for (const auto& part : split(resolved, '/')) {
    if (part.empty()) continue;
    path = join_path(path, part);
    if (const auto* found = existing(path)) {
      if (found->type == fs::FileType::directory) {
        parents_.emplace(path, *found);
        continue;
      }
      throw Error(ErrorKind::usage, fmt::format("cannot copy into /{}: it is not a directory", path));
    }
    Entry entry;
    entry.metadata.type = fs::FileType::directory;
    entry.metadata.mode = attributes_.chmod ? attributes_.chmod(0755, true) : 0755;
    entry.metadata.mtime = attributes_.new_directory_mtime;
    if (attributes_.owner) {
      entry.metadata.uid = attributes_.owner->uid;
      entry.metadata.gid = attributes_.owner->gid;
    }
    entries_.emplace(path, std::move(entry));
  }
  return resolved;
}

void CopyPlan::place(const std::string& path, const SourceEntry& source, bool is_root) {
  Entry entry{source.metadata, source.open, source.link_id};
  // Two sources of one COPY are copied each on their own.
  if (!entry.link_id.empty()) entry.link_id = fmt::format("{}:{}", copies_, entry.link_id);
  const bool directory = entry.metadata.type == fs::FileType::directory;
  if (attributes_.owner) {
    entry.metadata.uid = attributes_.owner->uid;
    entry.metadata.gid = attributes_.owner->gid;
  }
  if (attributes_.chmod && entry.metadata.type != fs::FileType::symlink) {
    entry.metadata.mode = attributes_.chmod(entry.metadata.mode, directory);
  }
  const auto* found = existing(path);
  if (found != nullptr && directory && found->type == fs::FileType::directory) {
    // The destination itself keeps its attributes.
    if (is_root) entry.metadata = *found;
    fs::FileMetadata same_time = entry.metadata;
    same_time.mtime = found->mtime;
    if (same_time == *found) {
      parents_.emplace(path, *found);
      return;
    }
  }
  if (found != nullptr && directory != (found->type == fs::FileType::directory)) {
    throw Error(ErrorKind::usage, directory ? fmt::format("cannot copy to non-directory: /{}", path)
                                            : fmt::format("cannot replace to directory /{} with file", path));
  }
  entries_.insert_or_assign(path, std::move(entry));
}

void CopyPlan::copy(CopySource& source, const std::string& path, const std::string& destination, bool into_directory) {
  std::string base;
  ++copies_;
  source.visit(path, [&](const SourceEntry& entry) {
    if (entry.relative_path.empty()) {
      if (entry.metadata.type == fs::FileType::directory) {
        const bool existed = is_directory(destination);
        base = make_directories(destination);
        // A directory that this COPY makes takes the source's attributes; one that was there keeps its own.
        if (!existed && !base.empty()) {
          entries_.erase(base);
          place(base, entry, false);
        }
        return;
      }
      if (into_directory) {
        base = join_path(make_directories(destination), base_name(path));
      } else {
        const auto target = without_leading_slash(tree_.resolve(destination).path);
        make_directories("/" + parent_of(target));
        base = target;
      }
      place(base, entry, true);
      return;
    }
    // A link in the image to a directory counts as that directory, as it does for cp -r into it.
    auto target = join_path(base, entry.relative_path);
    const auto parent = tree_.resolve("/" + parent_of(target));
    target = join_path(make_directories(parent.path), base_name(target));
    if (entry.metadata.type == fs::FileType::directory) {
      const auto followed = tree_.resolve("/" + target);
      if (followed.node != nullptr && followed.node->metadata.type == fs::FileType::directory) {
        target = without_leading_slash(followed.path);
      }
    }
    place(target, entry, false);
  });
}

// Parents that turned out to have nothing new below them are left out.
void CopyPlan::write_parent(layer::LayerWriter& writer, const std::string& path,
                            const fs::FileMetadata& metadata) const {
  if (entries_.contains(path)) return;
  const auto below = entries_.lower_bound(path + "/");
  if (below == entries_.end() || below->first.rfind(path + "/", 0) != 0) return;
  writer.add(path, metadata, {});
}

void CopyPlan::write(layer::LayerWriter& writer, const std::stop_token& stop) const {
  std::map<std::string, std::string> first_names;  // link_id -> the path that holds the bytes
  auto parent = parents_.begin();
  for (const auto& [path, entry] : entries_) {
    throw_if_stopped(stop);
    for (; parent != parents_.end() && parent->first < path; ++parent)
      write_parent(writer, parent->first, parent->second);
    if (!entry.link_id.empty()) {
      const auto [first, is_first] = first_names.emplace(entry.link_id, path);
      if (!is_first) {
        writer.add_hard_link(path, first->second);
        continue;
      }
    }
    writer.add(path, entry.metadata, entry.open);
  }
}

}  // namespace tektii::builder
