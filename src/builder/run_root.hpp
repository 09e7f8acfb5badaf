#pragma once

#include "layer_stack.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/exec/executor.hpp>
#include <tektii/layer/diff.hpp>
#include <tektii/layer/layer_writer.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/layer/working_tree.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace tektii::builder {

// The root file system of one RUN. Destroyed without keep(), nothing of what the command did is left.
class RunRoot {
 public:
  virtual ~RunRoot() = default;
  virtual exec::Rootfs rootfs() const = 0;
  // Adds what the command changed.
  virtual void write_changes(const layer::DiffOptions& options, layer::LayerWriter& writer) = 0;
  // The command succeeded, and its changes became this layer; nullopt when there were none.
  virtual void keep(const std::optional<oci::Digest>& diff_id) = 0;
};

// The tree that the RUNs of one stage change one after the other, where layers are not stacked by overlayfs.
class StageTree {
 public:
  // The root of the next command, on top of the layers of `stack`: the tree as the last command left it, with the
  // layers that came in between, else a new one. Everything is kept by reference.
  std::unique_ptr<RunRoot> open(LayerStack& stack, layer::Snapshots& snapshots, const std::stop_token& stop);
  // No more commands will come.
  void drop() { tree_.reset(); }

 private:
  class Root;

  std::optional<layer::WorkingTree> tree_;
  std::vector<oci::Digest> layers_;  // that the tree is of, lowest first
};

// Layers stacked by overlayfs; the new layer is unpacked already.
std::unique_ptr<RunRoot> open_overlay_root(LayerStack& stack, layer::Snapshots& snapshots, const std::stop_token& stop);

// The files of a stack, and what asks for them when bytes are needed.
layer::LayerDirectory directories_of(LayerStack& stack, const std::stop_token& stop);

}  // namespace tektii::builder
