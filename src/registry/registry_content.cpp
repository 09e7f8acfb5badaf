#include "registry/registry_content.hpp"

#include <tektii/oci/media_type.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::registry {

oci::Document RegistryContent::read_top(std::stop_token stop) {
  const auto& reference = image_.reference();
  return in_phase("pull " + reference.str(), [&]() -> oci::Document {
    auto found = image_.find_manifest(reference.manifest_reference(), reference.digest, stop);
    if (!found) throw Error(ErrorKind::not_found, fmt::format("image {} not found", reference.str()));
    return {std::move(found->descriptor), std::move(found->bytes)};
  });
}

oci::Document RegistryContent::read_manifest(const oci::Descriptor& manifest, std::stop_token stop) {
  const auto& reference = image_.reference();
  return in_phase("pull " + reference.str(), [&]() -> oci::Document {
    auto found = image_.find_manifest(manifest.digest.str(), manifest.digest, stop);
    if (!found) {
      throw Error(ErrorKind::failure,
                  fmt::format("the index names {}, which the registry does not have", manifest.digest.str()));
    }
    if (found->bytes.size() != manifest.size) {
      throw Error(ErrorKind::content, fmt::format("the index gives {} a size of {}, it has {}", manifest.digest.str(),
                                                  manifest.size, found->bytes.size()));
    }
    // The descriptor is what says what a document is: a server that answers with another type would change it.
    found->descriptor.media_type = manifest.media_type;
    return {std::move(found->descriptor), std::move(found->bytes)};
  });
}

void RegistryContent::fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) {
  image_.fetch(blob, sink, std::move(stop));
}

std::optional<oci::BlobOrigin> RegistryContent::origin() const {
  return oci::BlobOrigin{image_.reference().registry, image_.reference().repository};
}

RegistryContentTarget::RegistryContentTarget(ClientState& state, oci::ImageReference reference)
    : state_(state), reference_(std::move(reference)), target_(state_, reference_) {}

RegistryTarget RegistryContentTarget::by_digest(const oci::Digest& digest) const {
  auto reference = reference_;
  reference.tag.clear();
  reference.digest = digest;
  return {state_, std::move(reference)};
}

bool RegistryContentTarget::has(const oci::Descriptor& manifest, bool is_top, std::stop_token stop) {
  return is_top ? target_.has_manifest(manifest, stop) : by_digest(manifest.digest).has_manifest(manifest, stop);
}

void RegistryContentTarget::begin(const oci::Content& content, std::stop_token stop) {
  throw_if_stopped(stop);
  const auto& digest = content.top().descriptor.digest;
  if (!reference_.digest || *reference_.digest == digest) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} can't be what {} names: its digest is {}", digest.str(), reference_.str(), digest.str()))
      .add_hint("name the destination by a tag");
}

void RegistryContentTarget::put_blob(const oci::BlobUpload& upload, std::stop_token stop) {
  target_.put_blob(upload, std::move(stop));
}

void RegistryContentTarget::finish(const oci::Content& content, std::stop_token stop) {
  for (const auto& manifest : content.manifests) {
    if (&manifest == &content.top()) break;
    by_digest(manifest.descriptor.digest).put_manifest(manifest.descriptor, manifest.bytes, stop);
  }
  target_.put_manifest(content.top().descriptor, content.top().bytes, stop);
}

}  // namespace tektii::registry
