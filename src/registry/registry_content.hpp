#pragma once

#include "registry/registry_image.hpp"
#include "registry/registry_target.hpp"
#include <tektii/oci/content.hpp>

namespace tektii::registry {

// What a reference names, byte for byte. Thread-safe.
class RegistryContent : public oci::ContentSource {
 public:
  RegistryContent(ClientState& state, oci::ImageReference reference) : image_(state, std::move(reference)) {}

  oci::Document read_top(std::stop_token stop) override;
  oci::Document read_manifest(const oci::Descriptor& manifest, std::stop_token stop) override;
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override;
  std::optional<oci::BlobOrigin> origin() const override;

 private:
  RegistryImage image_;
};

// A repository that takes manifests and indexes, under the tag of the reference or, when it has none, by digest alone.
// Thread-safe.
class RegistryContentTarget : public oci::ContentTarget {
 public:
  RegistryContentTarget(ClientState& state, oci::ImageReference reference);

  bool has(const oci::Descriptor& manifest, bool is_top, std::stop_token stop) override;
  // Throws Error{usage} when the reference has a digest that is not that of the content.
  void begin(const oci::Content& content, std::stop_token stop) override;
  void put_blob(const oci::BlobUpload& upload, std::stop_token stop) override;
  void finish(const oci::Content& content, std::stop_token stop) override;

 private:
  RegistryTarget by_digest(const oci::Digest& digest) const;

  ClientState& state_;
  oci::ImageReference reference_;
  RegistryTarget target_;
};

}  // namespace tektii::registry
