#pragma once

#include "registry/session.hpp"
#include "registry/upload_session.hpp"
#include <tektii/oci/growing_blob.hpp>

#include <stop_token>

namespace tektii::registry {

// Sends a blob while it is still being made: POST, one PATCH with a body of unknown length, PUT with the digest
// (distribution-spec "Pushing a blob in chunks", with one chunk, as docker push does). When the blob turns out to be in
// the repository once its digest is known, the upload is given up in the middle.
class BlobStreamer {
 public:
  explicit BlobStreamer(const RegistrySession& session) : session_(session) {}

  // True when the blob is in the repository afterwards. False when it has to be sent the usual way: whatever goes wrong
  // here does not matter, but for Error{interrupted} on stop.
  bool send(oci::GrowingBlob& blob, const std::stop_token& stop) const;

 private:
  // `is_there` becomes true when the body ended early because the repository has the blob.
  net::HttpResponse patch(const net::Url& upload, oci::GrowingBlob& blob, bool& is_there,
                          const std::stop_token& stop) const;
  void put_digest(const UploadSession& upload, const oci::Descriptor& blob, const std::stop_token& stop) const;

  const RegistrySession& session_;
};

}  // namespace tektii::registry
