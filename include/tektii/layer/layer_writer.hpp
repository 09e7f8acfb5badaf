#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/layer/layer_index.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/compress.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tektii::layer {

// SHA-256 of a file's bytes.
using ContentHash = std::array<std::uint8_t, 32>;

struct WrittenLayer {
  oci::Layer layer;
  LayerIndex index;  // what was written, so that the blob need not be read again
};

// Writes one layer in one pass: tar (PAX where ustar can't say it) -> SHA-256 (diff_id) -> compress on all cores ->
// SHA-256 (digest) -> store, each on threads of its own: the caller reads the files, straight into what is compressed.
// Memory is bounded whatever the size of the layer, but for the index. The bytes depend on what is added and on the
// compression options alone: owner names are empty, times are whole seconds, xattrs are sorted. The caller adds entries
// in the final order.
class LayerWriter {
 public:
  LayerWriter(store::BlobStore& store, const CompressionOptions& compression);
  ~LayerWriter();

  // `content` gives exactly metadata.size bytes for a regular file (else Error "file changed while it was read") and is
  // ignored for other types. Sockets are refused. Paths are relative without "./". Where `content_hash` points, the
  // hash of a regular file's bytes is put by commit().
  void add(std::string path, fs::FileMetadata metadata, const BlobOpener& content, ContentHash* content_hash = nullptr);
  // A hard link to a regular file added before.
  void add_hard_link(const std::string& path, const std::string& target);
  // `path` is what gets removed: "etc/motd" writes "etc/.wh.motd".
  void add_whiteout(const std::string& path, std::int64_t mtime);

  // Says how many entries come, which saves memory where they are many.
  void reserve(std::size_t entries);

  bool empty() const;  // nothing was added yet
  // Ends the layer and puts it into the store. Not calling it discards everything.
  WrittenLayer commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::layer
