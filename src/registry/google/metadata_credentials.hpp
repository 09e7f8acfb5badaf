#pragma once

#include <tektii/registry/cloud.hpp>

#include <map>
#include <mutex>

namespace tektii::registry::google {

// "europe-docker.pkg.dev", "gcr.io", "eu.gcr.io". Not mirror.gcr.io, which anybody may read.
bool is_google_registry(const std::string& registry);

// The access token of the service account of a Google machine, by its metadata server ($GCE_METADATA_HOST or
// metadata.google.internal), for Google's registries alone. nullopt where nothing answers within a second. Thread-safe.
class MetadataCredentials : public CredentialSource {
 public:
  explicit MetadataCredentials(CloudDeps deps) : deps_(std::move(deps)) {}

  std::optional<Credentials> find(const std::string& registry, const std::string& repository,
                                  const std::stop_token& stop) override;

 private:
  std::optional<Credentials> ask(const std::stop_token& stop);

  CloudDeps deps_;
  std::mutex mutex_;
  bool asked_ = false;
  std::optional<Credentials> known_;
};

}  // namespace tektii::registry::google
