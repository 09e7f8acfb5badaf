#pragma once

#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/util/stream.hpp>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace tektii::layer {

// The bytes of regular files in layers, for a COPY out of a stage or an image. Nothing is unpacked for it.
//
// A layer that is unpacked already is read from its directory; symlinks are never followed there, so nothing outside of
// it can be reached. Of any other layer the blob is streamed once, however many files are wanted of it: their bytes go
// into a file without a name, and memory holds their paths alone. No byte is handed out before the whole layer was
// verified. One thread at a time.
class LayerContents {
 public:
  // Hands an opener of the layer's blob to `read`, and calls it again with a fresh one when the blob turned out to be
  // damaged and could be had anew.
  using WithBlob =
      std::function<void(const oci::Layer& layer, const std::function<void(const BlobOpener& blob)>& read)>;

  LayerContents(Snapshots& snapshots, WithBlob with_blob, std::stop_token stop);
  ~LayerContents();

  // Says that a file (FileTree::Node::path_in_layer) will be opened. What is said before the first open() of the layer
  // is read in one pass; a file of which nothing was said costs a pass of its own.
  void want(const oci::Layer& layer, const std::string& path);
  // Throws Error when the layer has no such regular file. The result may outlive this object.
  std::unique_ptr<ByteSource> open(const oci::Layer& layer, const std::string& path);

 private:
  struct Files;
  std::unique_ptr<ByteSource> open_unpacked(const oci::Layer& layer, const std::string& path, Files& files);
  void spool(const oci::Layer& layer, Files& files);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::layer
