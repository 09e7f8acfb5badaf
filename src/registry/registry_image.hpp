#pragma once

#include "registry/blob_verifier.hpp"
#include "registry/pull_sources.hpp"
#include "registry/session.hpp"
#include <tektii/oci/ports.hpp>
#include <tektii/oci/reference.hpp>

namespace tektii::registry {

// Accept for every manifest request: without it registries may convert to schema 1.
net::Header manifest_accept_header();

// Pulls one image. Thread-safe.
class RegistryImage : public oci::ImageSource {
 public:
  struct Document {
    oci::Descriptor descriptor;
    std::string bytes;
  };

  RegistryImage(ClientState& state, oci::ImageReference reference);

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token stop) override;
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override;

  const oci::ImageReference& reference() const { return reference_; }
  // The registry itself, also when a mirror has the content.
  const RegistrySession& session() const { return sources_.home(); }
  // The manifest or index under a tag or digest; nullopt when there is none. `expected`: the digest that the content
  // must have, when it is known.
  std::optional<Document> find_manifest(const std::string& reference, const std::optional<oci::Digest>& expected,
                                        const std::stop_token& stop) const;
  // The config of a manifest, which must not be larger than what an image may have.
  std::string read_config(const oci::Descriptor& config, const std::stop_token& stop);

 private:
  Document get_manifest(const std::string& reference, const std::optional<oci::Digest>& expected,
                        const std::stop_token& stop) const;
  // Of the client's cache of documents, if it has one.
  std::optional<std::string> find_document(const oci::Digest& digest) const;
  void keep_document(const std::string& bytes) const;
  Document select_platform(Document document, const oci::Platform& platform, const std::stop_token& stop) const;
  // Asks for what the verifier still misses, by a Range or by all of it again; a broken connection throws
  // TransportError and leaves it where it was.
  net::HttpResponse fetch_rest(const RegistrySession& session, const oci::Descriptor& blob, BlobVerifier& verifier,
                               bool by_range, const std::stop_token& stop) const;
  // One attempt; what was wrong when the blob did not arrive. Wrong bytes throw Error{content}.
  std::optional<std::string> fetch_from_mirror(std::size_t mirror, const oci::Descriptor& blob, BlobVerifier& verifier,
                                               const std::stop_token& stop) const;
  std::optional<Document> ask_for_manifest(const RegistrySession& session, bool is_mirror, const std::string& reference,
                                           const std::optional<oci::Digest>& expected,
                                           const std::stop_token& stop) const;

  oci::ImageReference reference_;
  PullSources sources_;
};

}  // namespace tektii::registry
