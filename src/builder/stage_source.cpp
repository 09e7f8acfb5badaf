#include "copy_source.hpp"
#include <tektii/layer/layer_files.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <set>

namespace tektii::builder {
namespace {

class StageSource : public CopySource {
 public:
  StageSource(LayerStack& stack, layer::Snapshots& snapshots, BlobFetcher& fetcher, std::stop_token stop)
      : stack_(stack), snapshots_(snapshots), fetcher_(fetcher), stop_(std::move(stop)) {
    for (const auto& layer : stack_.layers()) layers_.insert_or_assign(layer.diff_id, layer);
  }

  std::vector<std::string> match(const std::string& pattern) override {
    std::vector<std::string> found;
    const auto& tree = stack_.tree(stop_);
    if (!fs::has_glob_meta(pattern)) {
      const auto literal = clean_source_path(pattern);
      if (tree.resolve("/" + literal).node != nullptr) found.push_back(literal);
      return found;
    }
    match_components(tree, "", split(clean_source_path(pattern), '/'), 0, false, found);
    return found;  // children are kept sorted by name
  }

  void visit(const std::string& path, const Visitor& visitor, const Prune& prune) override {
    const auto resolved = stack_.tree(stop_).resolve("/" + path);
    if (resolved.node == nullptr) throw Error(ErrorKind::failure, fmt::format("/{} is not in the stage", path));
    visit_node("", *resolved.node, visitor, prune);
  }

 private:
  static void match_components(const layer::FileTree& tree, const std::string& directory,
                               const std::vector<std::string>& components, std::size_t depth, bool behind_wildcard,
                               std::vector<std::string>& found) {
    const bool last = depth == components.size();
    // Behind a wildcard links to directories are not entered, as in BuildKit.
    const auto resolved = tree.resolve("/" + directory, last || !behind_wildcard);
    if (resolved.node == nullptr && last) throw dangling_link("/" + directory);
    if (resolved.node == nullptr) return;
    if (last) {
      found.push_back(directory);
      return;
    }
    const bool wildcard = behind_wildcard || fs::has_glob_meta(components[depth]);
    for (const auto& [name, child] : resolved.node->children) {
      if (!fs::match_glob(components[depth], name)) continue;
      match_components(tree, directory.empty() ? name : directory + "/" + name, components, depth + 1, wildcard, found);
    }
  }

  void visit_node(const std::string& relative, const layer::FileTree::Node& node, const Visitor& visitor,
                  const Prune& prune) {
    SourceEntry entry;
    entry.relative_path = relative;
    entry.metadata = node.metadata;
    if (node.metadata.type == fs::FileType::regular) {
      const auto id = fmt::format("{}:{}", node.layer->str(), node.path_in_layer);
      entry.link_id = id;
      entry.content_id = [id] { return id; };
      entry.open = [this, layer = layers_.at(*node.layer), path = node.path_in_layer] {
        unpack(layer);
        return layer::open_file_in_layer(snapshots_, layer, path)();
      };
    }
    visitor(entry);
    if (prune && !node.children.empty() && prune(relative)) return;
    for (const auto& [name, child] : node.children) {
      visit_node(relative.empty() ? name : relative + "/" + name, *child, visitor, prune);
    }
  }

  // Once per layer, and only for layers that a copied file is in.
  void unpack(const oci::Layer& layer) {
    if (unpacked_.contains(layer.diff_id)) return;
    const auto unpacked = [&] {
      if (!snapshots_.has_directory(layer.diff_id)) fetcher_.ensure(layer, stop_);
      snapshots_.directory(layer, stop_);
    };
    try {
      unpacked();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted || !fetcher_.heal(layer, stop_)) throw;
      unpacked();
    }
    unpacked_.insert(layer.diff_id);
  }

  LayerStack& stack_;
  layer::Snapshots& snapshots_;
  BlobFetcher& fetcher_;
  std::stop_token stop_;
  std::map<oci::Digest, oci::Layer> layers_;
  std::set<oci::Digest> unpacked_;
};

}  // namespace

std::unique_ptr<CopySource> make_stage_source(LayerStack& stack, layer::Snapshots& snapshots, BlobFetcher& fetcher,
                                              std::stop_token stop) {
  return std::make_unique<StageSource>(stack, snapshots, fetcher, std::move(stop));
}

}  // namespace tektii::builder
