#pragma once

#include "layer/layer_limits.hpp"
#include <tektii/layer/extract.hpp>

namespace tektii::layer {

// extract_archive() with other limits than its own.
ExtractReport extract_within(TarBudget budget, ByteSource& source, const std::filesystem::path& directory,
                             const std::stop_token& stop);

}  // namespace tektii::layer
