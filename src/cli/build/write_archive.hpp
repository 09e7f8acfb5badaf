#pragma once

#include "options.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/store/blob_store.hpp>

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::cli {

// Writes the image into the archive that the output asks for, under the names (full references). The layers are in
// `blobs`. `scratch` is a directory for temporary files.
void write_archive(const OutputSpec& output, const builder::BuildResult& result, const std::vector<std::string>& names,
                   store::BlobStore& blobs, const std::filesystem::path& scratch, const std::stop_token& stop);

}  // namespace tektii::cli
