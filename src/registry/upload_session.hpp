#pragma once

#include "registry/session.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>

namespace tektii::registry {

// An upload that a registry has opened. When it is left without having been closed it is given up with a DELETE, so
// that the registry need not keep what was sent: a courtesy with a short patience, whose failure does not matter.
class UploadSession {
 public:
  // Takes the answer that opened it. Throws Error{network} without a usable Location (distribution-spec "Pushing a blob
  // monolithically": absolute or relative, with an opaque query that must stay as it is).
  UploadSession(const RegistrySession& session, const net::HttpResponse& opened);
  UploadSession(UploadSession&& other) noexcept;
  UploadSession& operator=(UploadSession&& other) noexcept;
  ~UploadSession();

  const net::Url& location() const { return location_; }
  net::Url location_for(const oci::Digest& digest) const { return net::with_query(location_, "digest", digest.str()); }
  // The least size of a chunk but the last (OCI-Chunk-Min-Length); 0 when there is none.
  std::uint64_t min_chunk() const { return min_chunk_; }

  // Every answer may name another Location to go on at.
  void follow(const net::HttpResponse& response);
  // It is finished, or gone.
  void close() { open_ = false; }
  // Asks how many bytes have arrived. Only a clear answer counts: 204 (or 202, as Harbor has it) with a Range that can
  // be read. An upload that is not there any more is closed.
  std::optional<std::uint64_t> stored(const std::stop_token& stop);

 private:
  void give_up() const;

  const RegistrySession* session_;
  net::Url location_;
  std::uint64_t min_chunk_ = 0;
  bool open_ = true;
};

// The Location of an answer, resolved and held against the rules for URLs that a registry hands out.
net::Url upload_location(const RegistrySession& session, const net::HttpResponse& response);

}  // namespace tektii::registry
