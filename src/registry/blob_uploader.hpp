#pragma once

#include "registry/session.hpp"
#include <tektii/oci/ports.hpp>

#include <memory>
#include <optional>
#include <stop_token>

namespace tektii::registry {

// Brings one blob into a repository with as few requests as possible: HEAD, mount, and only then POST and one PUT with
// the whole body (a PUT is what every registry takes; chunks are not, see distribution-spec "Pushing a blob
// monolithically").
class BlobUploader {
 public:
  explicit BlobUploader(const RegistrySession& session) : session_(session) {}

  void upload(const oci::BlobUpload& upload, const std::stop_token& stop) const;

  // Only a clear yes counts: many registries refuse HEAD to those who may push.
  bool is_there(const oci::Descriptor& blob, const std::stop_token& stop) const;
  // POST; returns the answer, whose Location is the upload when it is 2xx.
  net::HttpResponse start(const std::stop_token& stop) const;
  // Where an upload goes on; the URL is one that may be followed.
  net::Url upload_location(const net::HttpResponse& response) const;

 private:
  struct MountResult {
    bool mounted = false;
    std::optional<net::Url> upload_url;  // 202: the registry opened an upload instead
  };

  // Never fails: whatever speaks against a mount leads to an upload.
  MountResult try_mount(const oci::BlobUpload& upload, const std::stop_token& stop) const;
  void send_content(const oci::BlobUpload& upload, std::optional<net::Url> upload_url,
                    const std::stop_token& stop) const;
  // `content` is what is sent first; where it has to be sent again it is opened anew.
  net::HttpResponse put(const oci::BlobUpload& upload, const net::Url& url, std::unique_ptr<ByteSource> content,
                        const std::stop_token& stop) const;

  const RegistrySession& session_;
};

}  // namespace tektii::registry
