#pragma once

#include <tektii/layer/file_tree.hpp>

#include <filesystem>

namespace tektii::layer {

// Makes the directories of FileTree::overlaid_directories() in an empty overlay upper directory, with the attributes
// that the tree says, so that a command sees them through the mount. Layers of other builders often leave parents out:
// "COPY f /tmp/" as a layer of one member would otherwise make /tmp root's with 0755. diff_to_layer drops them again
// where nothing below them changes.
void prepare_upper(const std::filesystem::path& upper, const FileTree& tree);

}  // namespace tektii::layer
