#pragma once

#include "registry/session.hpp"
#include <tektii/oci/growing_blob.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/oci/reference.hpp>

namespace tektii::registry {

// Pushes to one repository under one tag. Thread-safe.
class RegistryTarget : public oci::ImageTarget {
 public:
  RegistryTarget(ClientState& state, oci::ImageReference reference);

  bool has_manifest(const oci::Descriptor& manifest, std::stop_token stop) override;
  void put_blob(const oci::BlobUpload& upload, std::stop_token stop) override;
  void put_manifest(const oci::Descriptor& manifest, const std::string& bytes, std::stop_token stop) override;
  // See RegistryClient::stream_blob.
  bool stream_blob(oci::GrowingBlob& blob, const std::stop_token& stop);
  // Throws Error{denied} or Error{network} when a push could not succeed.
  void check_access(const std::stop_token& stop);

 private:
  // The digest that the tag has now; nullopt when there is none or the registry does not tell.
  std::optional<std::string> tagged_digest(const std::stop_token& stop) const;
  net::HttpResponse ask_manifest(const std::string& method, const std::stop_token& stop) const;
  std::string tag_or_digest() const;
  std::string uploaded_key(const oci::Digest& digest) const;
  // Returns when the tag already points to this manifest; else throws what the answer means.
  void settle_refused_manifest(const oci::Descriptor& manifest, const net::HttpResponse& response,
                               const std::stop_token& stop) const;

  oci::ImageReference reference_;
  RegistrySession session_;
};

}  // namespace tektii::registry
