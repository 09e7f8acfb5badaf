#pragma once

#include "registry/registry_image.hpp"
#include <tektii/oci/artifact.hpp>

namespace tektii::registry {

// What a reference names, whatever it is. Thread-safe.
class RegistryArtifact : public oci::ArtifactSource {
 public:
  RegistryArtifact(ClientState& state, oci::ImageReference reference) : image_(state, std::move(reference)) {}

  std::optional<oci::Artifact> read(const oci::Platform& platform, std::stop_token stop) override;
  // Only a clear no counts: some registries refuse HEAD to those who may GET.
  bool has_blob(const oci::Descriptor& blob, std::stop_token stop) override;
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override;

 private:
  RegistryImage image_;
};

}  // namespace tektii::registry
