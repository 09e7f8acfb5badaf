#pragma once

#include "sandbox/http.hpp"
#include "sandbox/repository_store.hpp"
#include "sandbox/uploads.hpp"
#include <tektii/store/store.hpp>

#include <functional>
#include <string>

namespace tektii::sandbox {

// Blobs and their uploads below /v2/<name>/blobs/ (distribution-spec, "Pulling blobs", "Pushing blobs"). The caller has
// checked the name and the authorisation. Thread-safe.
class BlobRoutes {
 public:
  // Whether the caller of a mount may read the repository that it mounts from.
  using MayPull = std::function<bool(const std::string& repository)>;

  BlobRoutes(store::Store& store, RepositoryStore& repositories, UploadSessions& uploads)
      : store_(store), repositories_(repositories), uploads_(uploads) {}

  HttpReply handle_blob(HttpRequest& request, const std::string& name, const std::string& digest) const;
  // POST …/blobs/uploads/: a mount, a whole blob, or a new upload.
  HttpReply start_upload(HttpRequest& request, const std::string& name, const MayPull& may_pull) const;
  HttpReply handle_upload(HttpRequest& request, const std::string& name, const std::string& id) const;

 private:
  HttpReply get_blob(const HttpRequest& request, const oci::Digest& digest, std::uint64_t size) const;
  HttpReply append(HttpRequest& request, Upload& upload) const;
  HttpReply finish(HttpRequest& request, Upload& upload) const;
  HttpReply commit(Upload& upload, const std::string& digest_text) const;

  store::Store& store_;
  RepositoryStore& repositories_;
  UploadSessions& uploads_;
};

}  // namespace tektii::sandbox
