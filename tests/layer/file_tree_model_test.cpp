// The tree against a plain model that applies layers one after the other, on random layers.
#include "layer/support.hpp"
#include <tektii/layer/file_tree.hpp>
#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

namespace tektii::layer {
namespace {

using namespace testing;
using fs::FileType;
using Kind = LayerEntry::Kind;

struct Item {
  bool directory = false;
  std::uint32_t mode = 0;
  std::string layer;
};

// image-spec layer.md, word by word: whiteouts act on what is below, then the members in their order.
class Model {
 public:
  void apply(const LayerIndex& index, const std::string& layer) {
    for (const LayerEntry& entry : index.entries) {
      if (!is_reached(entry.path)) continue;
      if (entry.kind == Kind::whiteout) remove(entry.path, true);
      if (entry.kind == Kind::opaque && items_.contains(entry.path)) remove(entry.path, false);
    }
    for (const LayerEntry& entry : index.entries) {
      if (entry.kind == Kind::whiteout || entry.kind == Kind::opaque) continue;
      make_parents(entry.path, layer);
      if (entry.kind == Kind::hard_link) {
        const Item target = items_.at(entry.hard_link_target);
        if (target.layer != layer || target.directory) throw std::out_of_range("the target comes later");
        put(entry.path, target);
      } else {
        put(entry.path, {entry.metadata.type == FileType::directory, entry.metadata.mode, layer});
      }
    }
  }

  std::map<std::string, std::string> listing() const {
    std::map<std::string, std::string> result;
    for (const auto& [path, item] : items_) result[path] = shown(item.directory, item.mode, item.layer);
    return result;
  }

  static std::string shown(bool directory, std::uint32_t mode, const std::string& layer) {
    return (directory ? "d " : "f ") + std::to_string(mode) + " " + layer;
  }

 private:
  // False when something on the way is no directory.
  bool is_reached(const std::string& path) const {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto parent = items_.find(path.substr(0, slash));
      if (parent == items_.end() || !parent->second.directory) return false;
    }
    return true;
  }
  void remove(const std::string& path, bool itself) {
    if (itself) items_.erase(path);
    std::erase_if(items_, [&](const auto& item) { return item.first.starts_with(path + "/"); });
  }
  void put(const std::string& path, const Item& item) {
    const auto old = items_.find(path);
    if (old != items_.end() && !(old->second.directory && item.directory)) remove(path, true);
    items_[path] = item;
  }
  void make_parents(const std::string& path, const std::string& layer) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      const auto old = items_.find(parent);
      if (old != items_.end() && old->second.directory) continue;
      items_[parent] = {true, 0755, layer};
    }
  }

  std::map<std::string, Item> items_;
};

std::map<std::string, std::string> listing_of(const FileTree& tree, const std::map<std::string, std::string>& names) {
  std::map<std::string, std::string> result;
  const std::function<void(const FileTree::Node&, const std::string&)> visit = [&](const FileTree::Node& node,
                                                                                   const std::string& path) {
    std::string last;
    for (const auto& [name, child] : node.children()) {
      EXPECT_LT(last, name);
      last = name;
      const std::string full = path.empty() ? last : path + "/" + last;
      result[full] = Model::shown(child->metadata.type == FileType::directory, child->metadata.mode,
                                  names.at(child->layer->str()));
      EXPECT_EQ(tree.find(full), child);
      visit(*child, full);
    }
  };
  visit(*tree.find(""), "");
  return result;
}

class RandomLayers {
 public:
  explicit RandomLayers(unsigned seed) : random_(seed) {}

  LayerIndex next() {
    LayerIndex index;
    for (unsigned left = pick(12); left > 0; --left) {
      LayerEntry entry;
      entry.path = path();
      const unsigned what = pick(10);
      if (what == 0) entry.kind = Kind::whiteout;
      if (what == 1) entry.kind = Kind::opaque;
      if (what == 2) {
        entry.kind = Kind::hard_link;
        entry.hard_link_target = path();
        if (entry.hard_link_target == entry.path) continue;  // readers refuse it
      }
      if (what > 2) entry.metadata = what < 7 ? file_metadata(1, pick(8)) : directory_metadata(pick(8));
      index.entries.push_back(std::move(entry));
    }
    return index;
  }
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

 private:
  std::string path() {
    std::string result;
    for (unsigned depth = 1 + pick(3); depth > 0; --depth) {
      if (!result.empty()) result += '/';
      result += "ab-"[pick(3)];
    }
    return result;
  }

  std::mt19937 random_;
};

TEST(FileTreeModel, RandomLayersGiveTheSameTree) {
  unsigned accepted = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    RandomLayers random(seed);
    FileTree tree;
    Model model;
    std::map<std::string, std::string> names;
    for (unsigned i = 0; i < 5; ++i) {
      const LayerIndex index = random.next();
      const oci::Digest diff_id = oci::Digest::of_bytes(std::to_string(i));
      const FileTree before = tree;
      try {
        tree.apply(index, diff_id);
      } catch (const Error&) {
        continue;  // below a file of its own, or a link to nothing
      }
      ++accepted;
      names[diff_id.str()] = std::to_string(i);
      try {
        model.apply(index, std::to_string(i));
      } catch (const std::out_of_range&) {
        tree = before;  // a link that comes before its target, which the model does not know
        break;
      }
      // Asked for in between or not, what is known of a tree does not change the next one.
      if (random.pick(2) == 0) listing_of(tree, names);
      ASSERT_EQ(listing_of(tree, names), model.listing()) << "seed " << seed << ", layer " << i;
    }
  }
  EXPECT_GT(accepted, 3000U);
}

}  // namespace
}  // namespace tektii::layer
