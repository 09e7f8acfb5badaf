#pragma once

#include "registry/session.hpp"
#include <tektii/oci/growing_blob.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/oci/reference.hpp>

#include <mutex>
#include <vector>

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
  std::string tag_or_digest() const;
  std::string key_of(const oci::Digest& digest) const;
  net::HttpResponse send_manifest(const oci::Descriptor& manifest, const std::string& bytes,
                                  const std::stop_token& stop) const;
  // The registry lacks a blob of the manifest, whatever it said of it before: brings those that it may lack.
  void put_missing_blobs(const net::HttpResponse& refusal, const std::stop_token& stop);
  bool is_missing(const oci::Descriptor& blob, const net::HttpResponse& refusal, const std::stop_token& stop) const;
  // Returns when the tag already points to this manifest; else throws what the answer means.
  void settle_refused_manifest(const oci::Descriptor& manifest, const net::HttpResponse& response,
                               const std::stop_token& stop) const;

  oci::ImageReference reference_;
  RegistrySession session_;
  std::mutex mutex_;
  std::vector<oci::BlobUpload> blobs_;  // that can be put again, in case the registry loses one
};

}  // namespace tektii::registry
