#include "run_root.hpp"

#include <tektii/layer/upper.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tektii::builder {
namespace {

std::vector<oci::Digest> diff_ids_of(const LayerStack& stack) {
  std::vector<oci::Digest> diff_ids;
  for (const auto& layer : stack.layers()) diff_ids.push_back(layer.diff_id);
  return diff_ids;
}

class OverlayRoot : public RunRoot {
 public:
  OverlayRoot(LayerStack& stack, layer::Snapshots& snapshots, const std::stop_token& stop)
      : stack_(stack),
        snapshots_(snapshots),
        stop_(stop),
        workspace_(snapshots.make_workspace()),
        rootfs_{stack.directories(stop), workspace_.upper(), workspace_.work()} {
    layer::prepare_upper(workspace_.upper(), stack.tree(stop));
  }

  exec::Rootfs rootfs() const override { return rootfs_; }

  void write_changes(const layer::DiffOptions& options, layer::LayerWriter& writer) override {
    layer::diff_to_layer(workspace_.upper(), stack_.tree(stop_), rootfs_.lower_dirs, options, writer, stop_);
  }

  void keep(const std::optional<oci::Digest>& diff_id) override {
    if (diff_id) snapshots_.adopt(*diff_id, workspace_.upper());
  }

 private:
  LayerStack& stack_;
  layer::Snapshots& snapshots_;
  std::stop_token stop_;
  layer::OverlayWorkspace workspace_;
  exec::Rootfs rootfs_;
};

}  // namespace

// Takes the tree for the time of a command: one that fails takes it along.
class StageTree::Root : public RunRoot {
 public:
  Root(StageTree& owner, LayerStack& stack, layer::WorkingTree tree, std::stop_token stop)
      : owner_(owner), stack_(stack), tree_(std::move(tree)), stop_(std::move(stop)) {
    tree_.begin();
  }

  exec::Rootfs rootfs() const override {
    exec::Rootfs rootfs;
    rootfs.root_dir = tree_.root();
    rootfs.work_dir = tree_.work();
    return rootfs;
  }

  void write_changes(const layer::DiffOptions& options, layer::LayerWriter& writer) override {
    tree_.diff_to_layer(stack_.tree(stop_), options, writer, stop_);
  }

  void keep(const std::optional<oci::Digest>& diff_id) override {
    if (!tree_.is_exact()) return;
    owner_.layers_ = diff_ids_of(stack_);
    if (diff_id) owner_.layers_.push_back(*diff_id);
    owner_.tree_.emplace(std::move(tree_));
  }

 private:
  StageTree& owner_;
  LayerStack& stack_;
  layer::WorkingTree tree_;
  std::stop_token stop_;
};

std::unique_ptr<RunRoot> StageTree::open(LayerStack& stack, layer::Snapshots& snapshots, const std::stop_token& stop) {
  auto tree = std::exchange(tree_, std::nullopt);
  const auto layers = diff_ids_of(stack);
  const bool fits = layers_.size() <= layers.size() && std::equal(layers_.begin(), layers_.end(), layers.begin());
  if (tree && fits) {
    if (layers_.size() < layers.size()) tree->advance(stack.tree(stop), layers_.size(), stop);
  } else {
    tree.reset();
    stack.directories(stop);  // several at once
    tree.emplace(snapshots.make_workspace(), stack.tree(stop), directories_of(stack, stop), stop);
    const auto made = tree->made();
    spdlog::info(
        "a root file system of {} entries was made: {} files share their blocks with the layers, {} were copied",
        made.entries, made.cloned, made.copied);
  }
  return std::make_unique<Root>(*this, stack, std::move(*tree), stop);
}

std::unique_ptr<RunRoot> open_overlay_root(LayerStack& stack, layer::Snapshots& snapshots,
                                           const std::stop_token& stop) {
  return std::make_unique<OverlayRoot>(stack, snapshots, stop);
}

layer::LayerDirectory directories_of(LayerStack& stack, const std::stop_token& stop) {
  return [&stack, stop](const oci::Digest& diff_id) { return stack.directory(diff_id, stop); };
}

}  // namespace tektii::builder
