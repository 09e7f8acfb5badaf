#include "planned_tree.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <iterator>
#include <utility>
#include <vector>

namespace tektii::builder {

namespace {

constexpr int k_max_symlinks = 40;  // as Linux

template <typename Map>
void erase_below(Map& map, const std::string& path) {
  const auto first = map.lower_bound(path + "/");
  map.erase(first, map.lower_bound(path + "0"));  // '0' follows '/'
}

}  // namespace

bool PlannedTree::is_hidden(const std::string& path) const {
  if (hidden_.empty()) return false;
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (hidden_.contains(std::string_view(path).substr(0, slash))) return true;
  }
  return hidden_.contains(path);
}

const fs::FileMetadata* PlannedTree::find(const std::string& path) const {
  // Paths mostly come in order.
  if (!entries_.empty() && entries_.rbegin()->first >= path) {
    if (const auto planned = entries_.find(path); planned != entries_.end()) return &planned->second.metadata;
  }
  const auto* node = is_hidden(path) ? nullptr : below_.find(path);
  return node == nullptr ? nullptr : &node->metadata;
}

bool PlannedTree::is_directory(const std::string& path) const {
  const auto* metadata = find(path);
  return metadata != nullptr && metadata->type == fs::FileType::directory;
}

std::string PlannedTree::resolve(std::string_view path) const {
  std::vector<std::string> pending;  // components still to walk, the next one last
  const auto push = [&pending](std::string_view text) {
    auto parts = split(text, '/');
    pending.insert(pending.end(), std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend()));
  };
  push(path);
  std::string resolved;
  int symlinks = 0;
  while (!pending.empty()) {
    const std::string name = std::move(pending.back());
    pending.pop_back();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      const auto slash = resolved.rfind('/');
      resolved.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    std::string next = resolved.empty() ? name : resolved + "/" + name;
    const auto* found = find(next);
    if (found == nullptr || found->type != fs::FileType::symlink) {
      resolved = std::move(next);
      continue;
    }
    if (++symlinks > k_max_symlinks) {
      throw Error(ErrorKind::failure, fmt::format("{}: too many levels of symbolic links", escape_control(path)));
    }
    if (found->link_target.starts_with('/')) resolved.clear();
    push(found->link_target);
  }
  return resolved;
}

void PlannedTree::put(std::string path, PlannedEntry entry) {
  entries_.insert_or_assign(entries_.end(), std::move(path), std::move(entry));
}

void PlannedTree::replace(std::string path, PlannedEntry entry) {
  const bool directory = entry.metadata.type == fs::FileType::directory;
  if (is_directory(path) && !directory) {
    erase_below(entries_, path);
    erase_below(kept_, path);
    kept_.erase(path);
    const auto* node = below_.find(path);
    if (node != nullptr && node->metadata.type == fs::FileType::directory) hidden_.insert(path);
  } else if (directory && hidden_.contains(path)) {
    throw Error(ErrorKind::usage,
                fmt::format("/{} is replaced by something else and then by a directory again", escape_control(path)));
  }
  put(std::move(path), std::move(entry));
}

void PlannedTree::keep_directory(const std::string& path) {
  if (path.empty() || entries_.contains(path)) return;
  if (const auto* metadata = find(path)) kept_.emplace(path, *metadata);
}

void PlannedTree::write_kept(layer::LayerWriter& writer, const std::string& path,
                             const fs::FileMetadata& metadata) const {
  const auto below = entries_.lower_bound(path + "/");
  if (below == entries_.end() || !below->first.starts_with(path + "/")) return;
  writer.add(path, metadata, {});
}

void PlannedTree::write(layer::LayerWriter& writer, const std::stop_token& stop) {
  std::map<std::string, std::string> first_names;  // link_id -> the path that holds the bytes
  auto kept = kept_.begin();
  writer.reserve(entries_.size());
  while (!entries_.empty()) {
    throw_if_stopped(stop);
    const auto& next = entries_.begin()->first;
    for (; kept != kept_.end() && kept->first <= next; ++kept) {
      if (kept->first != next) write_kept(writer, kept->first, kept->second);
    }
    auto node = entries_.extract(entries_.begin());
    auto& path = node.key();
    auto& entry = node.mapped();
    if (!entry.link_id.empty()) {
      const auto [first, is_first] = first_names.emplace(std::move(entry.link_id), path);
      if (!is_first) {
        writer.add_hard_link(path, first->second);
        continue;
      }
    }
    with_completed(entry.file.get(), std::move(entry.metadata),
                   [&](fs::FileMetadata metadata, const BlobOpener& content) {
                     writer.add(std::move(path), std::move(metadata), content, entry.content_hash);
                   });
  }
}

}  // namespace tektii::builder
