#pragma once

#include "registry/session.hpp"
#include "registry/upload_session.hpp"
#include <tektii/oci/ports.hpp>

#include <optional>
#include <stop_token>

namespace tektii::registry {

// Brings one blob into a repository with as few requests as possible. One of a base in the same registry is mounted,
// which is one request; for all others HEAD asks whether they are there. Only then is anything sent.
class BlobUploader {
 public:
  explicit BlobUploader(const RegistrySession& session) : session_(session) {}

  // How the blob came to be there.
  KnownBlobs::Source upload(const oci::BlobUpload& upload, const std::stop_token& stop) const;
  // The same without a question: the registry is known to answer it wrongly.
  void send(const oci::BlobUpload& upload, const std::stop_token& stop) const;

  // Only a clear yes counts: many registries refuse HEAD to those who may push.
  bool is_there(const oci::Descriptor& blob, const std::stop_token& stop) const;
  // POST; returns the answer, which opens an UploadSession when it is 2xx.
  net::HttpResponse start(const std::stop_token& stop) const;

 private:
  struct MountResult {
    bool mounted = false;
    std::optional<UploadSession> upload = std::nullopt;  // 202: the registry opened an upload instead
  };

  // Never fails: whatever speaks against a mount leads to an upload.
  MountResult try_mount(const oci::Digest& digest, const std::string& from, const std::stop_token& stop) const;
  bool is_mountable(const oci::BlobUpload& upload) const;

  const RegistrySession& session_;
};

}  // namespace tektii::registry
