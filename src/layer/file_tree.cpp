#include "layer/member_name.hpp"
#include <tektii/layer/file_tree.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace tektii::layer {

namespace {

constexpr int k_max_symlinks = 40;  // as the kernel: MAXSYMLINKS

using Node = FileTree::Node;
using NodePtr = std::shared_ptr<const Node>;

fs::FileMetadata implicit_directory() {
  fs::FileMetadata metadata;
  metadata.type = fs::FileType::directory;
  metadata.mode = 0755;
  return metadata;
}

bool is_directory(const Node& node) {
  return node.metadata.type == fs::FileType::directory;
}

// Takes the first component off `rest`, skipping slashes; empty at the end.
std::string_view next_component(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
  const std::size_t end = std::min(rest.find('/', begin), rest.size());
  const std::string_view component = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return component;
}

// Changes a tree without touching nodes that other trees share: a node is copied the first time it is changed.
class Editor {
 public:
  Editor(const NodePtr& root, const oci::Digest& layer) : layer_(layer) {
    auto copy = std::make_shared<Node>(*root);
    root_ = copy.get();
    owned_.insert(root_);
    result_ = std::move(copy);
  }

  NodePtr result() const { return result_; }

  // Removes a name; a name that does not exist, or is below something that is no directory, is fine.
  void remove(std::string_view path) {
    Node* parent = existing_directory(parent_path(path));
    if (parent == nullptr) return;
    const auto it = parent->children.find(base_name(path));
    if (it != parent->children.end()) parent->children.erase(it);
    forget_cached_directory();
  }

  void clear_directory(std::string_view path) {
    Node* directory = existing_directory(path);
    if (directory != nullptr) directory->children.clear();
    forget_cached_directory();
  }

  void put_file(const LayerEntry& entry) {
    if (entry.path.empty()) {
      root_->metadata = entry.metadata;
      root_->layer = layer_;
      return;
    }
    Node& parent = make_parents(parent_path(entry.path));
    const std::string_view name = base_name(entry.path);
    auto node = std::make_shared<Node>();
    node->metadata = entry.metadata;
    node->layer = layer_;
    node->path_in_layer = entry.path;
    node->content = entry.content;
    const auto it = parent.children.find(name);
    const bool replaces_directory = it != parent.children.end() && is_directory(*it->second);
    // "dir over dir" replaces the attributes and keeps what is in it.
    if (is_directory(*node) && replaces_directory) node->children = it->second->children;
    if (replaces_directory) forget_cached_directory();
    put(parent, name, std::move(node));
  }

  void put_hard_link(const LayerEntry& entry) {
    const Node* target = find_in(*root_, entry.hard_link_target);
    if (target == nullptr || target->layer != layer_ || is_directory(*target)) {
      throw Error(ErrorKind::failure,
                  fmt::format("hard link \"{}\" leads to \"{}\", which is no file of the same layer",
                              escape_control(entry.path), escape_control(entry.hard_link_target)));
    }
    auto node = std::make_shared<Node>(*target);
    Node& parent = make_parents(parent_path(entry.path));
    const std::string_view name = base_name(entry.path);
    const auto it = parent.children.find(name);
    if (it != parent.children.end() && is_directory(*it->second)) forget_cached_directory();
    put(parent, name, std::move(node));
  }

  static const Node* find_in(const Node& root, std::string_view path) {
    const Node* node = &root;
    while (true) {
      const std::string_view name = next_component(path);
      if (name.empty()) return node;
      const auto it = node->children.find(name);
      if (it == node->children.end()) return nullptr;
      node = it->second.get();
    }
  }

 private:
  void put(Node& parent, std::string_view name, std::shared_ptr<Node> node) {
    owned_.insert(node.get());
    keep_alive_.push_back(node);
    const auto it = parent.children.find(name);
    if (it != parent.children.end()) {
      it->second = std::move(node);
    } else {
      parent.children.emplace(std::string(name), std::move(node));
    }
  }

  // The node in `slot`, made ours.
  Node& own(NodePtr& slot) {
    if (!owned_.contains(slot.get())) {
      auto copy = std::make_shared<Node>(*slot);
      owned_.insert(copy.get());
      keep_alive_.push_back(copy);
      slot = std::move(copy);
    }
    // Every node that we own was made by make_shared<Node>, so it is not a const object.
    return const_cast<Node&>(*slot);
  }

  Node* existing_directory(std::string_view path) {
    Node* node = root_;
    while (true) {
      const std::string_view name = next_component(path);
      if (name.empty()) return is_directory(*node) ? node : nullptr;
      const auto it = node->children.find(name);
      if (it == node->children.end() || !is_directory(*it->second)) return nullptr;
      node = &own(it->second);
    }
  }

  // The directory for a new entry. Tars name most entries of a directory one after the other, so the last one is kept.
  Node& make_parents(std::string_view path) {
    if (cached_directory_ != nullptr && path == cached_path_) return *cached_directory_;
    Node* node = root_;
    std::string_view rest = path;
    while (true) {
      const std::string_view name = next_component(rest);
      if (name.empty()) break;
      auto it = node->children.find(name);
      if (it != node->children.end() && !is_directory(*it->second) && it->second->layer == layer_) {
        throw Error(ErrorKind::failure,
                    fmt::format("\"{}\" is below \"{}\", which the same layer makes something else than a directory",
                                escape_control(path), escape_control(name)));
      }
      if (it == node->children.end() || !is_directory(*it->second)) {
        auto made = std::make_shared<Node>();
        made->metadata = implicit_directory();
        made->layer = layer_;
        made->path_in_layer = std::string(path.substr(0, path.size() - rest.size()));
        put(*node, name, std::move(made));
        it = node->children.find(name);
      }
      node = &own(it->second);
    }
    cached_path_ = path;
    cached_directory_ = node;
    return *node;
  }

  void forget_cached_directory() { cached_directory_ = nullptr; }

  const oci::Digest& layer_;
  NodePtr result_;
  Node* root_ = nullptr;
  std::unordered_set<const Node*> owned_;
  // An address in owned_ may not be reused by another node while the editor works.
  std::vector<NodePtr> keep_alive_;
  std::string cached_path_;
  Node* cached_directory_ = nullptr;
};

}  // namespace

FileTree::FileTree() {
  auto root = std::make_shared<Node>();
  root->metadata = implicit_directory();
  root_ = std::move(root);
}

void FileTree::apply(const LayerIndex& index, const oci::Digest& diff_id) {
  Editor editor(root_, diff_id);
  // Whiteouts act on what is below the layer alone, wherever in the layer they stand.
  for (const LayerEntry& entry : index.entries) {
    if (entry.kind == LayerEntry::Kind::whiteout) editor.remove(entry.path);
    if (entry.kind == LayerEntry::Kind::opaque) editor.clear_directory(entry.path);
  }
  for (const LayerEntry& entry : index.entries) {
    if (entry.kind == LayerEntry::Kind::file) editor.put_file(entry);
    if (entry.kind == LayerEntry::Kind::hard_link) editor.put_hard_link(entry);
  }
  root_ = editor.result();
  note_overlaid(index, diff_id);
}

void FileTree::note_overlaid(const LayerIndex& index, const oci::Digest& diff_id) {
  std::string last;
  for (const LayerEntry& entry : index.entries) {
    if (entry.kind == LayerEntry::Kind::file) overlaid_.erase(entry.path);
  }
  for (const LayerEntry& entry : index.entries) {
    std::string_view parent = parent_path(entry.path);
    if (parent == last) continue;  // members of one directory mostly follow one another
    last = parent;
    for (; !parent.empty(); parent = parent_path(parent)) {
      const Node* node = find(parent);
      if (node != nullptr && is_directory(*node) && node->layer != diff_id) overlaid_.emplace(parent);
    }
  }
}

std::vector<std::string> FileTree::overlaid_directories() const {
  std::vector<std::string> directories;
  for (const std::string& path : overlaid_) {
    const Node* node = find(path);
    if (node != nullptr && is_directory(*node)) directories.push_back(path);
  }
  return directories;
}

const FileTree::Node* FileTree::find(std::string_view path) const {
  return Editor::find_in(*root_, path);
}

FileTree::Resolved FileTree::resolve(std::string_view path, bool follow_last) const {
  std::vector<std::string> pending;  // components still to walk, the next one last
  const auto push = [&pending](std::string_view text) {
    std::vector<std::string> parts;
    for (auto part = next_component(text); !part.empty(); part = next_component(text)) parts.emplace_back(part);
    pending.insert(pending.end(), std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend()));
  };
  push(path);

  std::vector<std::string> names;               // of the result
  std::vector<const Node*> nodes{root_.get()};  // of every name's parent; nullptr from where nothing exists
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
    const Node* child = nullptr;
    if (parent != nullptr) {
      const auto it = parent->children.find(name);
      if (it != parent->children.end()) child = it->second.get();
    }
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
