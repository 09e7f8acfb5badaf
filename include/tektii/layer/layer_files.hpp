#pragma once

#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/util/stream.hpp>

#include <string>

namespace tektii::layer {

// Opens a regular file of a layer (FileTree::Node::path_in_layer) in its unpacked directory, which must exist (call
// Snapshots::directory() first). Symlinks are never followed, so nothing outside of the layer can be reached. The
// opener throws Error with the path when there is no such file; it may outlive `snapshots` and may be called by any
// thread.
BlobOpener open_file_in_layer(Snapshots& snapshots, const oci::Layer& layer, const std::string& path_in_layer);

}  // namespace tektii::layer
