#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/layer_writer.hpp>

namespace tektii::layer {

struct DiffOptions {
  // Times after this are set to it, in the layer and on the files in `upper` (so that the next step sees what a fresh
  // unpack would give, and .pyc files stay valid). nullopt keeps the times.
  std::optional<std::int64_t> clamp_mtime;
};

// Adds to `writer` what an overlay upper directory changes against `parent`, sorted by path: new and changed files,
// hard links within the layer, explicit whiteouts (an opaque directory becomes whiteouts of the parent's children that
// are gone). Leaves out what was copied up but did not change (metadata and content the same; `lower_dirs`, topmost
// first, is where the old content is), sockets, and directories that are only on the way and unchanged (an unchanged
// directory above a changed file is written again only when its own metadata changed). Overlay's own xattrs
// (user.overlay.*, trusted.overlay.*) are dropped.
void diff_to_layer(const std::filesystem::path& upper, const FileTree& parent,
                   const std::vector<std::filesystem::path>& lower_dirs, const DiffOptions& options,
                   LayerWriter& writer, const std::stop_token& stop);

}  // namespace tektii::layer
