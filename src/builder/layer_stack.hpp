#pragma once

#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/blob_store.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace tektii::builder {

// Brings the blobs of base images into the store, each at most once per build, when something needs their bytes.
class BlobFetcher {
 public:
  // `around` is handed each download to carry out, so that it can report on it.
  using Around = std::function<void(const oci::Layer&, const std::function<void()>& download)>;
  BlobFetcher(store::BlobStore& blobs, Around around);

  // Remembers which image a layer can be fetched from.
  void add_source(const oci::Layer& layer, std::shared_ptr<oci::ImageSource> source);
  // After this the layer's blob is in the store, with its size; throws Error when it can't be had, of the kind
  // `damaged` when building again makes it.
  void ensure(const oci::Layer& layer, const std::stop_token& stop);
  // Called when a layer could not be read: a blob that is damaged or gone is fetched again, or, where it can't be,
  // removed, so that the next build makes it again. False when the blob is intact, so that something else was wrong.
  bool heal(const oci::Layer& layer, const std::stop_token& stop);
  // Several at once, at most four at a time.
  void ensure_all(const std::vector<oci::Layer>& layers, const std::stop_token& stop);

 private:
  struct Entry {
    std::shared_ptr<oci::ImageSource> source;
    std::mutex mutex;
  };
  std::shared_ptr<Entry> entry_of(const oci::Digest& digest);

  store::BlobStore& blobs_;
  Around around_;
  std::mutex mutex_;
  std::map<oci::Digest, std::shared_ptr<Entry>> entries_;
};

// The layers of a stage so far, lowest first. Its file tree is only put together when a step asks for it: a build whose
// steps are all cached never reads a base layer. Any number of threads may read or copy a stack that nobody pushes to;
// only the stage that owns it pushes.
class LayerStack {
 public:
  LayerStack(layer::Snapshots& snapshots, BlobFetcher& fetcher) : snapshots_(&snapshots), fetcher_(&fetcher) {}
  LayerStack(const LayerStack& other);
  LayerStack& operator=(const LayerStack&) = delete;

  const std::vector<oci::Layer>& layers() const { return layers_; }
  void push(oci::Layer layer);
  // Pushes a layer that was just written, with its index.
  void push(oci::Layer layer, const layer::LayerIndex& index);

  // The tree as it is until the next push.
  const layer::FileTree& tree(const std::stop_token& stop);
  // Unpacked directories, topmost first, as overlayfs wants them.
  std::vector<std::filesystem::path> directories(const std::stop_token& stop);
  // The identity of the file system: every diff_id in order.
  std::string chain_key() const;

 private:
  template <typename Read>
  auto read_healing(const oci::Layer& layer, const std::stop_token& stop, const Read& read);

  layer::Snapshots* snapshots_;
  BlobFetcher* fetcher_;
  std::vector<oci::Layer> layers_;
  mutable std::mutex tree_mutex_;  // guards what follows
  layer::FileTree tree_;
  std::size_t layers_in_tree_ = 0;
};

}  // namespace tektii::builder
