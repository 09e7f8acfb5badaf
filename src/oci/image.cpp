#include <tektii/oci/image.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::oci {

namespace {

Descriptor describe(std::string_view media_type, const std::string& bytes) {
  return Descriptor{std::string(media_type), Digest::of_bytes(bytes), bytes.size()};
}

void verify(std::string_view what, const Descriptor& expected, const std::string& bytes) {
  if (expected.size != bytes.size())
    throw Error(ErrorKind::failure,
                fmt::format("{}: size mismatch: expected {} bytes, got {}", what, expected.size, bytes.size()));
  const auto digest = Digest::of_bytes(bytes);
  if (digest != expected.digest)
    throw Error(ErrorKind::failure,
                fmt::format("{}: digest mismatch: expected {}, got {}", what, expected.digest.str(), digest.str()));
}

void check_is_image(const Manifest& manifest) {
  if (to_oci_media_type(manifest.config.media_type) != k_media_config)
    throw Error(ErrorKind::failure,
                fmt::format("not a container image: its config is \"{}\"", escape_control(manifest.config.media_type)));
  for (const auto& layer : manifest.layers) {
    if (!is_layer(layer.media_type))
      throw Error(ErrorKind::failure, fmt::format("layer {} is of the unsupported type \"{}\"", layer.digest.str(),
                                                  escape_control(layer.media_type)));
  }
}

}  // namespace

SealedImage seal_image(const ImageConfig& config, std::vector<Layer> layers,
                       const std::map<std::string, std::string>& annotations) {
  if (layers.size() != config.diff_ids.size())
    throw Error(ErrorKind::failure, fmt::format("the image has {} layers, but its config has {} diff_ids",
                                                layers.size(), config.diff_ids.size()));
  std::vector<Descriptor> blobs;
  blobs.reserve(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].diff_id != config.diff_ids[i])
      throw Error(ErrorKind::failure, fmt::format("layer {} has the diff_id {}, but the config says {}", i,
                                                  layers[i].diff_id.str(), config.diff_ids[i].str()));
    auto& blob = layers[i].blob;
    // A base that Docker made keeps its bytes; only their name changes to that of the OCI manifest around them.
    blob.media_type = std::string(to_oci_media_type(blob.media_type));
    blobs.push_back(blob);
  }
  auto config_bytes = config.serialise();
  auto config_blob = describe(k_media_config, config_bytes);
  const Manifest manifest{std::string(k_media_manifest), config_blob, std::move(blobs), annotations};
  auto manifest_bytes = manifest.serialise();
  auto manifest_blob = describe(k_media_manifest, manifest_bytes);
  return SealedImage{std::move(config_blob), std::move(config_bytes), std::move(manifest_blob),
                     std::move(manifest_bytes), std::move(layers)};
}

ResolvedImage make_resolved_image(std::string name, Descriptor manifest, std::string manifest_bytes,
                                  std::string config_bytes, const Platform& want,
                                  const std::optional<BlobOrigin>& origin) {
  verify("image manifest", manifest, manifest_bytes);
  auto parsed = Manifest::parse(manifest_bytes);
  check_is_image(parsed);
  verify("image config", parsed.config, config_bytes);
  auto config = ImageConfig::parse(config_bytes);
  if (config.platform.normalised() != want.normalised()) throw_platform_mismatch(want, config.platform.str());
  if (parsed.layers.size() != config.diff_ids.size())
    throw Error(ErrorKind::failure, fmt::format("the manifest has {} layers, but its config has {} diff_ids",
                                                parsed.layers.size(), config.diff_ids.size()));
  std::vector<Layer> layers;
  layers.reserve(parsed.layers.size());
  for (std::size_t i = 0; i < parsed.layers.size(); ++i)
    layers.push_back(Layer{parsed.layers[i], config.diff_ids[i], origin});
  return ResolvedImage{std::move(name),         std::move(manifest), std::move(parsed), std::move(manifest_bytes),
                       std::move(config_bytes), std::move(config),   std::move(layers)};
}

void throw_platform_mismatch(const Platform& want, std::string_view got) {
  throw Error(ErrorKind::platform_mismatch, fmt::format("Image platform mismatch (expected {}, got {})", want.str(),
                                                        got.empty() ? "none" : escape_control(got)));
}

std::string mismatched_platforms(const Error& error) {
  constexpr std::string_view k_before = ", got ";
  if (error.kind() != ErrorKind::platform_mismatch) return {};
  const std::string& message = error.message();
  const auto start = message.rfind(k_before);
  if (start == std::string::npos || !message.ends_with(')')) return {};
  return message.substr(start + k_before.size(), message.size() - 1 - start - k_before.size());
}

}  // namespace tektii::oci
