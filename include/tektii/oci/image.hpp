#pragma once

#include <tektii/oci/descriptor.hpp>
#include <tektii/oci/image_config.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/util/error.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::oci {

// An existing image that was looked up for one platform: raw bytes and the parsed view of the same bytes.
struct ResolvedImage {
  std::string name;     // fully qualified, for org.opencontainers.image.base.name and messages
  Descriptor manifest;  // of the platform's manifest, not of an index
  Manifest parsed_manifest;
  std::string manifest_bytes;
  std::string config_bytes;
  ImageConfig config;
  std::vector<Layer> layers;  // lowest first; as many as config.diff_ids
};

// A finished image. The bytes are serialised once; every digest is of these bytes.
struct SealedImage {
  Descriptor config;
  std::string config_bytes;
  Descriptor manifest;
  std::string manifest_bytes;
  std::vector<Layer> layers;  // lowest first
};

// Serialises config and manifest. layers.size() must equal config.diff_ids.size() and the diff_ids must agree; throws
// Error{failure} otherwise.
SealedImage seal_image(const ImageConfig& config, std::vector<Layer> layers,
                       const std::map<std::string, std::string>& annotations);

// Joins a manifest and its config, after checking both texts against their descriptors; throws Error{failure} when they
// differ, when it is not a container image, when layer and diff_id counts differ, or when the platform in the config is
// not `want` (kind platform_mismatch, the documented text "Image platform mismatch (expected linux/amd64, got X)").
ResolvedImage make_resolved_image(std::string name, Descriptor manifest, std::string manifest_bytes,
                                  std::string config_bytes, const Platform& want,
                                  const std::optional<BlobOrigin>& origin);

// Throws Error{platform_mismatch} with the documented text; `got` is one platform or a list of them.
[[noreturn]] void throw_platform_mismatch(const Platform& want, std::string_view got);
// What such an error got: one platform or a list of them; empty for an error of another kind.
std::string mismatched_platforms(const Error& error);

}  // namespace tektii::oci
