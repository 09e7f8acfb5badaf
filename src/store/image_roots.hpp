#pragma once

#include <tektii/oci/digest.hpp>

#include <filesystem>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::store {

// The blobs that the images in index.json need: manifests, configs, layers, those inside of indexes too. What is
// missing or damaged is passed over.
std::set<oci::Digest> blobs_of_images(const std::filesystem::path& root);

// Takes the entries out of index.json whose image needs a blob that `is_removed` knows; returns their names (or the
// digest of one without a name). With `dry_run` nothing is written. When nothing is left and the disk is too full to
// say so, index.json itself goes: a store without one has no images (ensure_layout() makes it again). When something is
// left that can't be written it throws, and nothing has changed.
std::vector<std::string> drop_images(const std::filesystem::path& root,
                                     const std::function<bool(const oci::Digest&)>& is_removed, bool dry_run,
                                     const std::stop_token& stop);

}  // namespace tektii::store
