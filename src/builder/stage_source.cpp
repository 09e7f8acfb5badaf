#include "copy_source.hpp"
#include <tektii/layer/layer_contents.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <map>

namespace tektii::builder {
namespace {

class StageSource : public CopySource {
 public:
  StageSource(LayerStack& stack, layer::Snapshots& snapshots, BlobFetcher& fetcher, const std::stop_token& stop)
      : stack_(stack),
        stop_(stop),
        contents_(
            snapshots,
            [&fetcher, stop](const oci::Layer& layer, const auto& read) { fetcher.with_blob(layer, read, stop); },
            stop) {
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
    for (const auto& [child_name, child] : resolved.node->children()) {
      const std::string name(child_name);
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
      // Nodes stay where they are: nobody pushes to a stack that is copied from.
      entry.link_id = content_id(node);
      entry.content_id = [&node] { return content_id(node); };
      entry.announce = [this, &node] { contents_.want(layers_.at(*node.layer), node.path_in_layer); };
      entry.open = [this, &node] { return contents_.open(layers_.at(*node.layer), node.path_in_layer); };
    }
    visitor(entry);
    const auto children = node.children();
    if (prune && !children.empty() && prune(relative)) return;
    for (const auto& [name, child] : children) {
      visit_node(relative.empty() ? std::string(name) : fmt::format("{}/{}", relative, name), *child, visitor, prune);
    }
  }

  static std::string content_id(const layer::FileTree::Node& node) {
    return fmt::format("{}:{}", node.layer->str(), node.path_in_layer);
  }

  LayerStack& stack_;
  std::stop_token stop_;
  std::map<oci::Digest, oci::Layer> layers_;
  layer::LayerContents contents_;
};

}  // namespace

std::unique_ptr<CopySource> make_stage_source(LayerStack& stack, layer::Snapshots& snapshots, BlobFetcher& fetcher,
                                              const std::stop_token& stop) {
  return std::make_unique<StageSource>(stack, snapshots, fetcher, stop);
}

}  // namespace tektii::builder
