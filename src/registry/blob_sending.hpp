#pragma once

#include "registry/attempts.hpp"
#include "registry/blob_content.hpp"
#include "registry/upload_session.hpp"
#include <tektii/oci/ports.hpp>

#include <cstdint>
#include <optional>
#include <stop_token>

namespace tektii::registry {

class BlobUploader;

// Sends one blob, however often that takes: POST and one PUT with the whole body, which is what every registry takes.
// After a failure the blob may be there; the upload is resumed only when the registry proves that it kept what came,
// and begun anew otherwise. Chunks are sent only when the registry refuses the size of the body, or by wish.
class BlobSending {
 public:
  BlobSending(const BlobUploader& uploader, const RegistrySession& session, const oci::BlobUpload& upload,
              std::stop_token stop);

  // `opened`: an upload that is there already. Throws Error when the blob does not arrive.
  void run(std::optional<UploadSession> opened);

 private:
  // One attempt; true when the blob is there.
  bool attempt();
  // POST when there is no upload. nullopt when there is one; an answer that may be waited for otherwise.
  std::optional<net::HttpResponse> begin();
  net::HttpResponse send_rest();
  // Chunks from offset_ on, then the digest; or the first answer that is no success.
  net::HttpResponse send_chunks(std::uint64_t chunk);
  // Decides what an answer that is no success leads to; throws when that is the end. True when the blob is there.
  bool settle(net::HttpResponse response);
  void settle_refused_content(net::HttpResponse& response);
  // What was in the way may have passed on all or a part: finds out. True when the blob is there.
  bool look_what_arrived();
  void begin_anew();
  [[noreturn]] void fail(net::HttpResponse& response) const;

  const BlobUploader& uploader_;
  const RegistrySession& session_;
  const oci::BlobUpload& upload_;
  std::stop_token stop_;
  Attempts attempts_;
  BlobContent content_;
  std::optional<UploadSession> current_;
  std::uint64_t offset_ = 0;        // how much of the blob the current upload has
  std::uint64_t resumed_from_ = 0;  // a later resume must be further on, so that none goes round in a circle
  std::uint64_t last_size_ = 0;     // of the body that was sent last
  bool may_resume_ = true;
  bool content_was_refused_ = false;
  int lost_uploads_ = 0;
};

}  // namespace tektii::registry
