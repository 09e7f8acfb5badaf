#include "oci/descriptor_json.hpp"
#include "oci/json.hpp"
#include <tektii/oci/attestation.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>

#include <utility>

namespace tektii::oci {

namespace {

Document make_document(std::string_view media_type, std::string bytes) {
  Descriptor descriptor{std::string(media_type), Digest::of_bytes(bytes), bytes.size()};
  return {std::move(descriptor), std::move(bytes)};
}

// Tools that know no artifacts take it for a config of an image.
Document plain_config(const std::vector<Document>& layers) {
  nlohmann::ordered_json json;
  json["architecture"] = "unknown";
  json["os"] = "unknown";
  json["config"] = nlohmann::ordered_json::object();
  json["rootfs"]["type"] = "layers";
  json["rootfs"]["diff_ids"] = nlohmann::ordered_json::array();
  for (const auto& layer : layers) json["rootfs"]["diff_ids"].push_back(layer.descriptor.digest.str());
  return make_document(k_media_config, dump(json));
}

std::string manifest_of(const Document& config, const std::vector<Document>& layers, const Descriptor& image,
                        bool as_artifact) {
  nlohmann::ordered_json json;
  json["schemaVersion"] = 2;
  json["mediaType"] = k_media_manifest;
  if (as_artifact) json["artifactType"] = k_attestation_artifact;
  json["config"] = write_descriptor(config.descriptor);
  if (as_artifact) json["config"]["data"] = "e30=";  // image-spec: the empty descriptor
  json["layers"] = nlohmann::ordered_json::array();
  for (const auto& layer : layers) json["layers"].push_back(write_descriptor(layer.descriptor));
  if (as_artifact) json["subject"] = write_descriptor({image.media_type, image.digest, image.size});
  return dump(json);
}

}  // namespace

AttestedImage attest_image(const SealedImage& image, const Platform& platform,
                           const std::vector<AttestationLayer>& statements, const AttestationForm& form) {
  std::vector<Document> layers;
  for (const auto& statement : statements) {
    auto layer = make_document(k_media_in_toto, statement.bytes);
    layer.descriptor.annotations["in-toto.io/predicate-type"] = statement.predicate_type;
    layers.push_back(std::move(layer));
  }
  auto config = form.as_artifact ? make_document(k_media_empty, "{}") : plain_config(layers);
  auto manifest = make_document(k_media_manifest, manifest_of(config, layers, image.manifest, form.as_artifact));

  Descriptor image_entry = image.manifest;
  image_entry.platform = platform;
  Descriptor entry = manifest.descriptor;
  entry.platform = Platform{"unknown", "unknown", ""};
  entry.annotations = {{"vnd.docker.reference.digest", image.manifest.digest.str()},
                       {"vnd.docker.reference.type", "attestation-manifest"}};
  const Index index{std::string(k_media_index), {std::move(image_entry), std::move(entry)}, form.index_annotations};
  auto blobs = std::move(layers);
  blobs.insert(blobs.begin(), std::move(config));
  return {make_document(k_media_index, index.serialise()), std::move(manifest), std::move(blobs), form.as_artifact};
}

}  // namespace tektii::oci
