#include "copy_source.hpp"
#include <tektii/layer/layer_contents.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <map>

namespace tektii::builder {
namespace {

std::string content_id_of(const layer::FileTree::Node& node) {
  return fmt::format("{}:{}", node.layer->str(), node.path_in_layer);
}

// Nodes stay where they are: nobody pushes to a stack that is copied from.
class StageFile : public SourceFile {
 public:
  StageFile(layer::LayerContents& contents, const oci::Layer& layer, const layer::FileTree::Node& node)
      : contents_(contents), layer_(layer), node_(node) {}

  std::unique_ptr<ByteSource> open() override { return contents_.open(layer_, node_.path_in_layer); }
  std::string content_id() override { return content_id_of(node_); }
  void announce() override { contents_.want(layer_, node_.path_in_layer); }

 private:
  layer::LayerContents& contents_;
  const oci::Layer& layer_;
  const layer::FileTree::Node& node_;
};

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
      entry.link_id = content_id_of(node);
      entry.file = std::make_shared<StageFile>(contents_, layers_.at(*node.layer), node);
    }
    visitor(std::move(entry));
    const auto children = node.children();
    if (prune && !children.empty() && prune(relative)) return;
    for (const auto& [name, child] : children) {
      visit_node(relative.empty() ? std::string(name) : fmt::format("{}/{}", relative, name), *child, visitor, prune);
    }
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
