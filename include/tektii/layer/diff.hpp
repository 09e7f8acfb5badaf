#pragma once

#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/layer_writer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

namespace tektii::layer {

struct DiffOptions {
  // Times after this are set to it, in the layer and on the files in `upper` (so that the next step sees what a fresh
  // unpack would give, and .pyc files stay valid). nullopt keeps the times.
  std::optional<std::int64_t> clamp_mtime;
};

// Adds to `writer` what an overlay upper directory changes against `parent`, sorted by path: new and changed files,
// hard links within the layer, explicit whiteouts (an opaque directory becomes whiteouts of the parent's children that
// are gone), and the directories above all of these. Leaves out what was copied up but did not change (metadata and
// content the same; `lower_dirs`, topmost first, is where the old content is), directories with nothing below them to
// write in which nothing but the time changed, and sockets. Extended attributes are written when they are content:
// overlay's own (user.overlay.*, trusted.overlay.*), trusted.* and security.* except security.capability are dropped.
void diff_to_layer(const std::filesystem::path& upper, const FileTree& parent,
                   const std::vector<std::filesystem::path>& lower_dirs, const DiffOptions& options,
                   LayerWriter& writer, const std::stop_token& stop);

}  // namespace tektii::layer
