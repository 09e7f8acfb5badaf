#include "registry/registry_artifact.hpp"

#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/text.hpp>

#include <utility>

namespace tektii::registry {

std::optional<oci::Artifact> RegistryArtifact::read(const oci::Platform& platform, std::stop_token stop) {
  const auto& reference = image_.reference();
  return in_phase("pull " + reference.str(), [&]() -> std::optional<oci::Artifact> {
    auto document = image_.find_manifest(reference.manifest_reference(), reference.digest, stop);
    if (document && oci::is_index(document->descriptor.media_type)) {
      const auto index = oci::Index::parse(document->bytes);
      const auto* const found = index.find(platform);
      if (found == nullptr) return oci::Artifact{std::move(document->descriptor), std::move(document->bytes), {}};
      document = image_.find_manifest(found->digest.str(), found->digest, stop);
    }
    if (!document) return std::nullopt;
    auto config = image_.read_config(oci::Manifest::parse(document->bytes).config, stop);
    return oci::Artifact{std::move(document->descriptor), std::move(document->bytes), std::move(config)};
  });
}

bool RegistryArtifact::has_blob(const oci::Descriptor& blob, std::stop_token stop) {
  const auto& session = image_.session();
  RegistryRequest request;
  request.method = "HEAD";
  request.url = session.url("/blobs/" + blob.digest.str());
  request.scopes = pull_scope(session.repository());
  const net::HttpResponse response = session.send(request, stop);
  if (response.status != 200) return response.status != 404;
  const auto length = response.header("Content-Length");
  return !length || parse_int(*length) == static_cast<std::int64_t>(blob.size);
}

void RegistryArtifact::fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) {
  image_.fetch(blob, sink, std::move(stop));
}

}  // namespace tektii::registry
