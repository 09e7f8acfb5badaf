#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/oci/artifact.hpp>
#include <tektii/oci/content.hpp>
#include <tektii/oci/growing_blob.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/credentials.hpp>
#include <tektii/registry/hosts.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

// Manifests and configs by digest, kept so that none is fetched twice. What is found is verified; either may be empty.
struct DocumentCache {
  std::function<std::optional<std::string>(const oci::Digest& digest)> find;
  std::function<void(const std::string& bytes)> keep;
};

// A pause before a request is sent again.
struct WaitNotice {
  std::string registry;
  std::chrono::milliseconds pause{0};
  std::string reason;            // a status ("429"), or what happened to the connection
  bool asked_by_server = false;  // by Retry-After
};

// How blobs are moved and how long a client goes on when that fails.
struct TransferOptions {
  // What a run may lose to failures, pauses included, all requests together.
  std::chrono::milliseconds retry_timeout{std::chrono::minutes(5)};
  std::chrono::milliseconds stall_timeout{std::chrono::minutes(1)};  // see HttpRequest
  std::optional<std::uint64_t> push_chunk_size = std::nullopt;       // larger blobs are sent in chunks of this size
  // Repositories that a registry is asked to take blobs from that it lacks; one without a registry is of whichever is
  // pushed to.
  std::vector<oci::BlobOrigin> mount_from = {};
};

struct RegistryDeps {
  net::HttpTransport& transport;
  CredentialSource& credentials;
  Clock* clock = nullptr;  // the system's when null
  net::RetryPolicy retry = {};
  DocumentCache documents = {};
  TransferOptions transfer = {};
  const RegistryHosts* hosts = nullptr;  // must outlive the client; null: each registry is where its name says
  // Called from any thread, before the pause, and with each text that registries warn of.
  std::function<void(const WaitNotice& notice)> on_wait = {};
  std::function<void(const std::string& registry, const std::string& text)> on_warning = {};
};

// A manifest that speaks of another one: its `subject`.
struct Referrer {
  oci::Descriptor manifest;
  std::string bytes;
  oci::Digest subject;
  std::string artifact_type;
  std::map<std::string, std::string> annotations = {};
};

// A client for registries; holds tokens per registry and scope for as long as it lives. Thread-safe. Images and targets
// made by it must not outlive it.
class RegistryClient {
 public:
  explicit RegistryClient(RegistryDeps deps);
  ~RegistryClient();

  std::unique_ptr<oci::ImageSource> image(const oci::ImageReference& reference);
  // What the reference names, which need not be an image.
  std::unique_ptr<oci::ArtifactSource> artifact(const oci::ImageReference& reference);
  // What the reference names, byte for byte, to be copied; and a place for such content, under the tag of the reference
  // or by digest alone.
  std::unique_ptr<oci::ContentSource> content(const oci::ImageReference& reference);
  std::unique_ptr<oci::ContentTarget> content_target(const oci::ImageReference& reference);
  // The tags of the reference's repository in the registry's order, at most `limit` of them when it is not 0.
  std::vector<std::string> tags(const oci::ImageReference& reference, std::size_t limit, const std::stop_token& stop);
  // `tag` of the reference is what put_manifest sets.
  std::unique_ptr<oci::ImageTarget> target(const oci::ImageReference& reference);
  // Sends a blob to the repository of the reference while it is still being made. True when it is there afterwards, and
  // then a target of the repository does not send it again; false when it has to be sent the usual way. Throws
  // Error{interrupted} alone.
  bool stream_blob(const oci::ImageReference& reference, oci::GrowingBlob& blob, const std::stop_token& stop);
  // Pushes a referrer by its digest into the repository of the reference. Where the registry does not say that it lists
  // referrers itself (OCI-Subject), the index under the tag "sha256-<hex of the subject>" is made to have it
  // (distribution-spec, "Pushing Manifests with Subject").
  void push_referrer(const oci::ImageReference& repository, const Referrer& referrer, const std::stop_token& stop);
  // Fails early: gets a token for pull and push, or finds out that the registry is not there.
  void check_push_access(const oci::ImageReference& reference, std::stop_token stop);
  // Presents the credentials to a registry, to no repository of it. False when it did not ask for any, so that nothing
  // is known of them; throws Error{denied} when it refuses them.
  bool check_login(const std::string& registry, std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::registry
