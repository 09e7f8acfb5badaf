#include "layer/layer_table.hpp"
#include "layer/member_name.hpp"
#include <tektii/layer/file_tree.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace tektii::layer {

namespace {

constexpr int k_max_symlinks = 40;  // as the kernel: MAXSYMLINKS

// How many names that do not exist are remembered of one directory.
constexpr std::size_t k_most_absent_names = 1024;

using Kind = LayerEntry::Kind;

fs::FileMetadata implicit_directory() {
  fs::FileMetadata metadata;
  metadata.type = fs::FileType::directory;
  metadata.mode = 0755;
  return metadata;
}

// Takes the first component off `rest`, skipping slashes; empty at the end.
std::string_view next_component(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
  const std::size_t end = std::min(rest.find('/', begin), rest.size());
  const std::string_view component = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return component;
}

bool is_directory(const FileTree::Node& node) {
  return node.metadata.type == fs::FileType::directory;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty()) path += '/';
  return path.append(name);
}

// A part of one layer's table.
struct Slice {
  std::size_t layer;  // its position, 0 is the lowest
  LayerTable::Range range;
};

}  // namespace

// What is known of a directory. `slices` are the parts of the layers that have something below it and are not hidden,
// topmost first.
struct FileTree::Node::Directory {
  const Merged* tree;
  std::string path;
  std::vector<Slice> slices;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> known;  // nullptr: no such name
  std::size_t absent = 0;
};

FileTree::Node::Node() = default;
FileTree::Node::~Node() = default;

// Nodes are made when they are first asked for, with the mutex held, and change no more.
struct FileTree::Merged {
  struct Layer {
    std::shared_ptr<const LayerTable> table;
    oci::Digest diff_id;
  };

  explicit Merged(std::vector<Layer> all) : layers(std::move(all)) {
    std::vector<Slice> slices;
    for (std::size_t i = layers.size(); i-- > 0;) slices.push_back({i, layers[i].table->all()});
    auto made = make("", slices);
    if (made) {
      root.metadata = std::move(made->metadata);
      root.layer = std::move(made->layer);
      root.position_ = made->position_;
      root.directory_ = std::move(made->directory_);
    } else {
      root.metadata = implicit_directory();
      root.directory_ = std::make_unique<Node::Directory>(Node::Directory{this, "", {}, {}, 0});
    }
  }
  Merged(const Merged&) = delete;
  Merged& operator=(const Merged&) = delete;

  const Node* child(const Node& parent, std::string_view name) const;
  std::set<std::string> names_in(const Node::Directory& directory) const;

  std::vector<Layer> layers;
  mutable std::mutex mutex;  // of all directories
  Node root;

 private:
  class Merge;
  std::unique_ptr<Node> make(const std::string& path, const std::vector<Slice>& above) const;
};

// Puts one name together, layer by layer from the top.
class FileTree::Merged::Merge {
 public:
  Merge(const Merged& tree, const std::string& path) : tree_(tree), path_(path), node_(std::make_unique<Node>()) {}

  // False when what is further below is hidden.
  bool take(const Slice& slice) {
    const LayerTable& table = *tree_.layers[slice.layer].table;
    const LayerTable::Range here = table.at_or_below(path_, slice.range);
    std::size_t i = here.begin;
    bool is_removed = false;
    bool is_opaque = false;
    bool goes_on = true;
    const LayerTable::Range below = [&] {
      std::size_t end = here.begin;
      while (end < here.end && table.path(end) == path_) ++end;
      return LayerTable::Range{end, here.end};
    }();
    bool has_entry = false;
    for (; i < below.begin; ++i) {
      if (table.kind(i) == Kind::whiteout) {
        is_removed = true;
      } else if (table.kind(i) == Kind::opaque) {
        is_opaque = true;
      } else {
        has_entry = true;
        goes_on = take_entry(table, i, slice.layer);
      }
    }
    if (goes_on && !below.empty()) take_below(table, below, slice.layer, has_entry);
    // An opaque directory hides what is in it further below, and stays itself as it is there.
    shows_lower_children_ = shows_lower_children_ && !is_opaque;
    return goes_on && !is_removed;
  }

  std::unique_ptr<Node> finish() {
    if (state_ == State::nothing) return nullptr;
    if (state_ == State::implicit) {
      node_->metadata = implicit_directory();
      if (!path_.empty()) {
        node_->layer = tree_.layers[node_->position_].diff_id;
        node_->path_in_layer = path_;
      }
    }
    if (is_directory(*node_)) {
      node_->directory_ = std::make_unique<Node::Directory>(Node::Directory{&tree_, path_, std::move(slices_), {}, 0});
    }
    return std::move(node_);
  }

 private:
  enum class State { nothing, implicit, entry };

  // True when it is a directory.
  bool take_entry(const LayerTable& table, std::size_t i, std::size_t position) {
    LayerEntry entry = table.entry(i);
    std::string holder = entry.path;
    for (std::size_t hops = 0; entry.kind == Kind::hard_link; ++hops) {
      holder = entry.hard_link_target;
      std::size_t target = table.at_or_below(holder, table.all()).begin;
      if (hops > table.size() || target >= table.size() || table.path(target) != holder ||
          (table.kind(target) != Kind::file && table.kind(target) != Kind::hard_link)) {
        throw Error(ErrorKind::failure, "damaged layer index");
      }
      entry = table.entry(target);
    }
    const bool directory = entry.metadata.type == fs::FileType::directory;
    if (state_ == State::entry || (state_ == State::implicit && !directory)) return directory;
    state_ = State::entry;
    node_->metadata = std::move(entry.metadata);
    node_->content = std::move(entry.content);
    node_->path_in_layer = std::move(holder);
    node_->layer = tree_.layers[position].diff_id;
    node_->position_ = position;
    return directory;
  }

  // Whiteouts alone make no directory.
  void take_below(const LayerTable& table, LayerTable::Range below, std::size_t position, bool has_entry) {
    if (shows_lower_children_) slices_.push_back({position, below});
    if (has_entry || state_ == State::entry) return;
    for (std::size_t i = below.begin; i < below.end; ++i) {
      if (table.kind(i) != Kind::file && table.kind(i) != Kind::hard_link) continue;
      state_ = State::implicit;
      node_->position_ = position;
      return;
    }
  }

  const Merged& tree_;
  const std::string& path_;
  std::unique_ptr<Node> node_;
  std::vector<Slice> slices_;
  State state_ = State::nothing;
  bool shows_lower_children_ = true;
};

std::unique_ptr<FileTree::Node> FileTree::Merged::make(const std::string& path, const std::vector<Slice>& above) const {
  Merge merge(*this, path);
  for (const Slice& slice : above) {
    if (!merge.take(slice)) break;
  }
  return merge.finish();
}

const FileTree::Node* FileTree::Merged::child(const Node& parent, std::string_view name) const {
  if (parent.directory_ == nullptr) return nullptr;
  Node::Directory& directory = *parent.directory_;
  const auto known = directory.known.find(name);
  if (known != directory.known.end()) return known->second.get();
  auto node = make(join_path(directory.path, name), directory.slices);
  if (node == nullptr && ++directory.absent > k_most_absent_names) return nullptr;
  return directory.known.emplace(std::string(name), std::move(node)).first->second.get();
}

// That some layer speaks of, sorted.
std::set<std::string> FileTree::Merged::names_in(const Node::Directory& directory) const {
  std::set<std::string> names;
  const std::size_t prefix = directory.path.empty() ? 0 : directory.path.size() + 1;
  for (const Slice& slice : directory.slices) {
    const LayerTable& table = *layers[slice.layer].table;
    for (std::size_t i = slice.range.begin; i < slice.range.end;) {
      const std::string_view rest = table.path(i).substr(prefix);
      const std::string_view name = rest.substr(0, rest.find('/'));
      names.emplace_hint(names.end(), name);
      i = table.at_or_below(table.path(i).substr(0, prefix + name.size()), {i, slice.range.end}).end;
    }
  }
  return names;
}

std::vector<std::pair<std::string_view, const FileTree::Node*>> FileTree::Node::children() const {
  std::vector<std::pair<std::string_view, const Node*>> result;
  if (directory_ == nullptr || directory_->slices.empty()) return result;
  const Merged& tree = *directory_->tree;
  const std::lock_guard lock(tree.mutex);
  for (const std::string& name : tree.names_in(*directory_)) {
    const Node* node = tree.child(*this, name);
    if (node != nullptr) result.emplace_back(directory_->known.find(name)->first, node);
  }
  return result;
}

FileTree::FileTree() : merged_(std::make_shared<const Merged>(std::vector<Merged::Layer>())) {}

void FileTree::apply(const LayerIndex& index, const oci::Digest& diff_id) {
  apply(LayerTable::build(index), diff_id);
}

void FileTree::apply(std::shared_ptr<const LayerTable> layer, const oci::Digest& diff_id) {
  auto layers = merged_->layers;
  layers.push_back({std::move(layer), diff_id});
  merged_ = std::make_shared<const Merged>(std::move(layers));
}

// Where the topmost entry of the directory is in a layer further below, or made by one without an entry.
std::vector<std::string> FileTree::overlaid_directories() const {
  std::set<std::string> found;
  for (std::size_t i = 0; i < merged_->layers.size(); ++i) {
    const LayerTable& table = *merged_->layers[i].table;
    for (std::size_t k = 0; k < table.implicit_directories(); ++k) {
      const std::string_view path = table.implicit_directory(k);
      const Node* node = find(path);
      const bool overlaid = node != nullptr && is_directory(*node) && node->position_ < i;
      if (overlaid && node->layer != merged_->layers[i].diff_id) found.emplace(path);
    }
  }
  return {found.begin(), found.end()};
}

std::vector<FileTree::Touched> FileTree::touched_since(std::size_t first) const {
  std::vector<Touched> touched;
  for (std::size_t layer = first; layer < merged_->layers.size(); ++layer) {
    const LayerTable& table = *merged_->layers[layer].table;
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table.path(i).empty()) continue;
      const bool keeps = table.kind(i) == Kind::file && table.entry(i).metadata.type == fs::FileType::directory;
      touched.push_back({std::string(table.path(i)), !keeps});
    }
  }
  std::stable_sort(touched.begin(), touched.end(),
                   [](const Touched& a, const Touched& b) { return path_less(a.path, b.path); });
  std::vector<Touched> unique;
  for (Touched& one : touched) {
    if (!unique.empty() && unique.back().path == one.path) {
      unique.back().replaced = unique.back().replaced || one.replaced;
    } else {
      unique.push_back(std::move(one));
    }
  }
  return unique;
}

const FileTree::Node* FileTree::find(std::string_view path) const {
  const std::lock_guard lock(merged_->mutex);
  const Node* node = &merged_->root;
  for (auto name = next_component(path); node != nullptr && !name.empty(); name = next_component(path)) {
    node = merged_->child(*node, name);
  }
  return node;
}

FileTree::Resolved FileTree::resolve(std::string_view path, bool follow_last) const {
  std::vector<std::string> pending;  // components still to walk, the next one last
  const auto push = [&pending](std::string_view text) {
    std::vector<std::string> parts;
    for (auto part = next_component(text); !part.empty(); part = next_component(text)) parts.emplace_back(part);
    pending.insert(pending.end(), std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend()));
  };
  push(path);

  std::vector<std::string> names;  // of the result
  const std::lock_guard lock(merged_->mutex);
  std::vector<const Node*> nodes{&merged_->root};  // of every name's parent; nullptr from where nothing exists
  int symlinks = 0;
  while (!pending.empty()) {
    std::string name = std::move(pending.back());
    pending.pop_back();
    if (name == ".") continue;
    if (name == "..") {
      if (names.empty()) continue;
      names.pop_back();
      nodes.pop_back();
      continue;
    }
    const Node* parent = nodes.back();
    const Node* child = parent == nullptr ? nullptr : merged_->child(*parent, name);
    const bool is_symlink = child != nullptr && child->metadata.type == fs::FileType::symlink;
    if (is_symlink && (follow_last || !pending.empty())) {
      if (++symlinks > k_max_symlinks) {
        throw Error(ErrorKind::failure, fmt::format("{}: too many levels of symbolic links", escape_control(path)));
      }
      const std::string& target = child->metadata.link_target;
      if (target.starts_with('/')) {
        names.clear();
        nodes.resize(1);
      }
      push(target);
      continue;
    }
    names.push_back(std::move(name));
    nodes.push_back(child);
  }
  return {join(names, "/"), nodes.back()};
}

std::string FileTree::account_file(std::string_view path) const {
  const Node* node = resolve(path).node;
  return node == nullptr ? std::string() : node->content.value_or("");
}

}  // namespace tektii::layer
