#pragma once

#include "sandbox/http.hpp"
#include "sandbox/platform.hpp"
#include "sandbox/repository_store.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/store/store.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tektii::sandbox {

// Manifests below /v2/<name>/manifests/ (distribution-spec, "Pulling manifests", "Pushing Manifests"). The caller has
// checked the name and the authorisation. Tells the platform of every tag that is set. Thread-safe.
class ManifestRoutes {
 public:
  ManifestRoutes(store::Store& store, RepositoryStore& repositories, Platform& platform)
      : store_(store), repositories_(repositories), platform_(platform) {}

  // `reference` is a tag or a digest.
  HttpReply handle(HttpRequest& request, const std::string& name, const std::string& reference);

  // Stores a manifest whose blobs are there under a tag, as a push would.
  void publish(const std::string& name, const std::string& tag, const std::string& media_type,
               const std::string& bytes);

 private:
  struct Content {
    std::string media_type;
    std::vector<oci::Descriptor> blobs;      // must be in the repository
    std::vector<oci::Descriptor> manifests;  // of an index; must be in the repository
    std::optional<HttpReply> error;
  };

  HttpReply get(const std::string& name, const std::string& reference) const;
  HttpReply put(HttpRequest& request, const std::string& name, const std::string& reference);
  HttpReply store_manifest(const std::string& name, const std::string& reference, const std::string& bytes,
                           const Content& content);
  static Content parse(const HttpRequest& request, const std::string& bytes);
  std::optional<HttpReply> check_references(const std::string& name, const Content& content) const;
  std::string platform_of(const std::string& name, const std::string& media_type, const std::string& bytes) const;

  store::Store& store_;
  RepositoryStore& repositories_;
  Platform& platform_;
  std::mutex tag_mutex_;  // a version's tag is checked and set in one step
};

}  // namespace tektii::sandbox
