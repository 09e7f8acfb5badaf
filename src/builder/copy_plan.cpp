#include "copy_plan.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

namespace tektii::builder {
namespace {

constexpr std::uint32_t k_directory_mode = 0755;

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

bool is_directory(const fs::FileMetadata& metadata) {
  return metadata.type == fs::FileType::directory;
}

bool is_same_but_for_time(fs::FileMetadata metadata, const fs::FileMetadata& other) {
  metadata.mtime = other.mtime;
  return metadata == other;
}

}  // namespace

// A symbolic --chmod needs a mode to change, and these directories have none yet.
std::uint32_t CopyPlan::new_directory_mode() const {
  if (!attributes_.chmod) return k_directory_mode;
  return attributes_.chmod->absolute().value_or(k_directory_mode) & 0777U;
}

// Makes the directory and what is missing above it; returns where it really is (relative, without symlinks).
std::string CopyPlan::make_directories(const std::string& destination, std::uint32_t mode) {
  auto resolved = planned_.resolve(destination);
  std::string path;
  for (const auto& part : split(resolved, '/')) {
    if (part.empty()) continue;
    path = join_path(path, part);
    if (const auto* found = planned_.find(path)) {
      if (!is_directory(*found)) {
        throw Error(ErrorKind::usage, fmt::format("cannot copy into /{}: it is not a directory", path));
      }
      planned_.keep_directory(path);
      continue;
    }
    PlannedEntry entry;
    entry.metadata.type = fs::FileType::directory;
    entry.metadata.mode = mode;
    entry.metadata.mtime = attributes_.new_directory_mtime;
    if (attributes_.owner) {
      entry.metadata.uid = attributes_.owner->uid;
      entry.metadata.gid = attributes_.owner->gid;
    }
    planned_.put(path, std::move(entry));
  }
  return resolved;
}

PlannedEntry CopyPlan::planned_entry(SourceEntry& source) const {
  if (source.file) source.file->announce();
  PlannedEntry entry{std::move(source.metadata), source.file, std::move(source.link_id), source.content_hash};
  // Two sources of one COPY are copied each on their own.
  if (!entry.link_id.empty()) entry.link_id = fmt::format("{}:{}", copies_, entry.link_id);
  if (attributes_.owner) {
    entry.metadata.uid = attributes_.owner->uid;
    entry.metadata.gid = attributes_.owner->gid;
  }
  return entry;
}

void CopyPlan::place(std::string path, SourceEntry& source) {
  auto entry = planned_entry(source);
  const bool directory = is_directory(entry.metadata);
  if (attributes_.chmod && entry.metadata.type != fs::FileType::symlink) {
    entry.metadata.mode = attributes_.chmod->apply(entry.metadata.mode, directory);
  }
  if (const auto* found = planned_.find(path)) {
    if (directory != is_directory(*found)) {
      throw Error(ErrorKind::usage, directory ? fmt::format("cannot copy to non-directory: /{}", path)
                                              : fmt::format("cannot replace to directory /{} with file", path));
    }
    if (directory && is_same_but_for_time(entry.metadata, *found)) return planned_.keep_directory(path);
  }
  planned_.put(std::move(path), std::move(entry));
}

// Where a file goes, which may be a directory by now.
void CopyPlan::place_file(SourceEntry& entry, const std::string& name, const CopyDestination& destination) {
  auto target = planned_.resolve(destination.path);
  if (destination.wants_directory || planned_.is_directory(target)) {
    target = join_path(make_directories(destination.path, new_directory_mode()), name);
  } else {
    make_directories("/" + parent_of(target), new_directory_mode());
    if (!named_files_.insert(target).second) {
      throw Error(ErrorKind::usage,
                  fmt::format("several files are copied to {}, which is not a directory", destination.path))
          .add_hint(fmt::format("end the destination with a slash: {}/", destination.path));
    }
  }
  place(std::move(target), entry);
}

// A link in the image to a directory counts as that directory, as it does for the kernel.
std::string CopyPlan::target_directory(const std::string& path) {
  const auto* found = planned_.find(path);
  if (found == nullptr || found->type != fs::FileType::symlink) return path;
  const auto followed = planned_.resolve(path);
  if (!planned_.is_directory(followed)) return path;
  return make_directories("/" + followed, new_directory_mode());
}

void CopyPlan::copy(std::vector<SourceEntry>& entries, const std::string& path, const CopyDestination& destination) {
  ++copies_;
  std::unordered_map<std::string, std::string> directories;         // of the source, and where they go
  const std::pair<const std::string, std::string>* last = nullptr;  // entries mostly follow their neighbours
  for (SourceEntry& entry : entries) {
    const auto relative = std::exchange(entry.relative_path, {});
    if (relative.empty()) {
      if (is_directory(entry.metadata)) {
        directories.emplace("", make_directories(destination.path, new_directory_mode()));
      } else {
        place_file(entry, base_name(path), destination);
      }
      continue;
    }
    const auto slash = relative.rfind('/');
    const auto parent = std::string_view(relative).substr(0, slash == std::string::npos ? 0 : slash);
    if (last == nullptr || last->first != parent) last = &*directories.find(std::string(parent));  // it came before
    auto target = join_path(last->second, base_name(relative));
    if (is_directory(entry.metadata)) {
      target = target_directory(target);
      directories.emplace(relative, target);
    }
    place(std::move(target), entry);
  }
}

void CopyPlan::place_member(std::string path, SourceEntry& member) {
  auto entry = planned_entry(member);
  const auto* found = planned_.find(path);
  if (found != nullptr && is_directory(*found) && is_directory(entry.metadata)) {
    if (is_same_but_for_time(entry.metadata, *found)) return planned_.keep_directory(path);
  }
  planned_.replace(std::move(path), std::move(entry));
}

void CopyPlan::unpack(CopySource& archive, const CopyDestination& destination) {
  ++copies_;
  const auto base = make_directories(destination.path, k_directory_mode);
  std::string last_parent = base;
  archive.visit("", [&](SourceEntry&& member) {
    if (member.relative_path.empty()) return;
    const auto path = join_path(base, member.relative_path);
    // Members mostly follow their neighbours; a symlink on the way, of the image or the archive, is followed.
    auto parent = parent_of(path);
    if (parent != last_parent || !planned_.is_directory(parent)) {
      last_parent = parent;
      parent = make_directories("/" + parent, k_directory_mode);
      if (parent != last_parent) last_parent.clear();
    }
    place_member(join_path(parent, base_name(path)), member);
  });
}

}  // namespace tektii::builder
