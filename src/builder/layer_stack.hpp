#pragma once

#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/stream.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace tektii::builder {

// Where the bytes of a layer are had from, as oci::ImageSource::fetch gives them.
struct BlobSource {
  std::function<void(const oci::Descriptor& blob, ByteSink& sink, const std::stop_token& stop)> fetch;
};

// Brings the blobs of base images and caches into the store, each at most once per build, when something needs their
// bytes.
class BlobFetcher {
 public:
  explicit BlobFetcher(store::BlobStore& blobs) : blobs_(blobs) {}

  // Remembers which image a layer can be fetched from.
  void add_source(const oci::Layer& layer, std::shared_ptr<oci::ImageSource> source);
  void add_source(const oci::Layer& layer, BlobSource source);
  // After this the layer's blob is in the store, with its size; throws Error when it can't be had, of the kind
  // `damaged` when building again makes it.
  void ensure(const oci::Layer& layer, const std::stop_token& stop);
  // Called when a layer could not be read: a blob that is damaged or gone is fetched again, or, where it can't be,
  // removed, so that the next build makes it again. False when the blob is intact, so that something else was wrong.
  bool heal(const oci::Layer& layer, const std::stop_token& stop);
  // Calls `read` with an opener of the layer's blob: of the store's, or else of a download that puts it there while it
  // is read, and whose end is only reached once the blob was verified and kept. A blob that the store had damaged is
  // healed, and `read` is called once more. `read` may leave the blob unopened, and drops the stream before it returns.
  void with_blob(const oci::Layer& layer, const std::function<void(const BlobOpener& blob)>& read,
                 const std::stop_token& stop);

 private:
  struct Entry {
    std::optional<BlobSource> source;
    std::mutex mutex;
  };
  std::shared_ptr<Entry> entry_of(const oci::Digest& digest);
  void download(const oci::Layer& layer, Entry& entry, ByteSink* also, const std::stop_token& stop);
  BlobOpener opener(const oci::Layer& layer, const std::stop_token& stop);

  store::BlobStore& blobs_;
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

  // Says whether a command will need the directories: layers of which nothing is known yet are then unpacked as soon as
  // tree() reads them, so that no layer is decompressed twice.
  void expect_directories(bool expected) { expects_directories_ = expected; }

  // The tree as it is until the next push. Layers that have no index yet are read several at once.
  const layer::FileTree& tree(const std::stop_token& stop);
  // Unpacked directories, topmost first, as overlayfs wants them. Those that are missing are unpacked several at once,
  // straight from their downloads where the store does not have them.
  std::vector<std::filesystem::path> directories(const std::stop_token& stop);
  // The unpacked directory of one of the layers, unpacked as above when it is missing.
  std::filesystem::path directory(const oci::Digest& diff_id, const std::stop_token& stop);
  // The identity of the file system: every diff_id in order.
  std::string chain_key() const;

 private:
  void read_layers(std::vector<oci::Layer> layers, bool unpack, const std::stop_token& stop);

  layer::Snapshots* snapshots_;
  BlobFetcher* fetcher_;
  std::vector<oci::Layer> layers_;
  bool expects_directories_ = false;
  mutable std::mutex tree_mutex_;  // guards what follows
  layer::FileTree tree_;
  std::size_t layers_in_tree_ = 0;
};

}  // namespace tektii::builder
