#pragma once

#include <tektii/oci/content.hpp>
#include <tektii/oci/image_config.hpp>
#include <tektii/oci/manifest.hpp>

#include <optional>
#include <string>

namespace tektii::cli {

// What `tektii inspect` knows of an image.
struct InspectedImage {
  std::string name;
  oci::Document top;                // an index, or `manifest` itself
  std::optional<oci::Index> index;  // when it is one
  oci::Document manifest;
  oci::Manifest parsed;
  std::string config_bytes;
  std::optional<oci::ImageConfig> config;  // none for what is no container image

  std::uint64_t layer_bytes() const;
};

std::string inspect_text(const InspectedImage& image);
std::string inspect_json(const InspectedImage& image);

// One row or object per layer, lowest first: digest, size, type and what made it.
std::string layers_text(const InspectedImage& image);
std::string layers_json(const InspectedImage& image);

}  // namespace tektii::cli
