#include "registry/registry_target.hpp"

#include "registry/blob_streamer.hpp"
#include "registry/blob_uploader.hpp"
#include "registry/error_report.hpp"
#include "registry/registry_image.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace tektii::registry {

namespace {

constexpr std::size_t k_max_manifest = 4 << 20;

// Each registry says it in its own way: ECR by TAG_INVALID, Harbor, Quay and Artifact Registry in the text.
bool says_immutable(const net::HttpResponse& response) {
  if (response.status < 400 || response.status >= 500) return false;
  if (has_error_code(response, "TAG_INVALID")) return true;
  return to_lower(response.body).find("immutable") != std::string::npos;
}

}  // namespace

RegistryTarget::RegistryTarget(ClientState& state, oci::ImageReference reference)
    : reference_(std::move(reference)), session_(state, reference_.registry, reference_.repository) {}

std::string RegistryTarget::tag_or_digest() const {
  return reference_.tag.empty() ? reference_.manifest_reference() : reference_.tag;
}

std::optional<std::string> RegistryTarget::tagged_digest(const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "HEAD";
  request.url = session_.url("/manifests/" + tag_or_digest());
  request.headers = {manifest_accept_header()};
  request.scopes = push_scope(session_.repository());
  const auto head = session_.ask(request, stop);
  // A role that may only push gets 403 here; that says nothing about the push.
  if (!head || head->status != 200) return std::nullopt;
  if (auto digest = head->header("Docker-Content-Digest"); digest && oci::Digest::is_valid(*digest)) return digest;
  request.method = "GET";
  request.document_limit = k_max_manifest;
  const auto full = session_.ask(request, stop);
  if (!full || full->status != 200) return std::nullopt;
  return oci::Digest::of_bytes(full->body).str();
}

bool RegistryTarget::has_manifest(const oci::Descriptor& manifest, std::stop_token stop) {
  return in_phase("look for the manifest of " + reference_.str(),
                  [&] { return tagged_digest(stop) == manifest.digest.str(); });
}

void RegistryTarget::put_blob(const oci::BlobUpload& upload, std::stop_token stop) {
  if (upload.again) {
    const std::lock_guard lock(mutex_);
    blobs_.push_back({upload.blob, upload.again});
  }
  const std::string key = key_of(upload.blob.digest);
  ClientState& state = session_.state();
  if (state.known_blobs.find(key)) return;
  in_phase(fmt::format("push of blob {} to {}", upload.blob.digest.str(), session_.name()), [&] {
    state.uploads.run(key, stop, [&] {
      if (!state.known_blobs.find(key)) {
        state.known_blobs.add(key, BlobUploader(session_).upload(upload, stop));
      }
      return true;
    });
  });
}

bool RegistryTarget::stream_blob(oci::GrowingBlob& blob, const std::stop_token& stop) {
  if (!BlobStreamer(session_).send(blob, stop)) return false;
  session_.state().known_blobs.add(key_of(blob.sealed()->digest), KnownBlobs::Source::sent);
  return true;
}

std::string RegistryTarget::key_of(const oci::Digest& digest) const {
  return session_.name() + "@" + digest.str();
}

net::HttpResponse RegistryTarget::send_manifest(const oci::Descriptor& manifest, const std::string& bytes,
                                                const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "PUT";
  request.url = session_.url("/manifests/" + tag_or_digest());
  request.headers = {{"Content-Type", manifest.media_type}};
  request.body = [&bytes] { return std::make_unique<StringSource>(bytes); };
  request.body_size = bytes.size();
  request.scopes = push_scope(session_.repository());
  return session_.send(request, stop);
}

void RegistryTarget::put_manifest(const oci::Descriptor& manifest, const std::string& bytes, std::stop_token stop) {
  in_phase("push of the manifest to " + reference_.str(), [&] {
    net::HttpResponse response = send_manifest(manifest, bytes, stop);
    if (has_error_code(response, "MANIFEST_BLOB_UNKNOWN") || has_error_code(response, "BLOB_UNKNOWN")) {
      put_missing_blobs(response, stop);
      response = send_manifest(manifest, bytes, stop);
    }
    if (response.status < 200 || response.status >= 300) return settle_refused_manifest(manifest, response, stop);
    const auto digest = response.header("Docker-Content-Digest");
    if (digest && oci::Digest::is_valid(*digest) && *digest != manifest.digest.str()) {
      throw Error(ErrorKind::content,
                  fmt::format("the registry stored {} instead of {}", *digest, manifest.digest.str()));
    }
  });
}

bool RegistryTarget::is_missing(const oci::Descriptor& blob, const net::HttpResponse& refusal,
                                const std::stop_token& stop) const {
  if (refusal.body.find(blob.digest.str()) != std::string::npos) return true;
  // What only the registry's word stood for is not asked about again.
  if (session_.state().known_blobs.find(key_of(blob.digest)) == KnownBlobs::Source::seen) return true;
  return !BlobUploader(session_).is_there(blob, stop);
}

void RegistryTarget::put_missing_blobs(const net::HttpResponse& refusal, const std::stop_token& stop) {
  std::vector<oci::BlobUpload> blobs;
  {
    const std::lock_guard lock(mutex_);
    blobs = blobs_;
  }
  for (const oci::BlobUpload& upload : blobs) {
    if (!is_missing(upload.blob, refusal, stop)) continue;
    spdlog::info("{} lacks {}, which is sent again", session_.name(), upload.blob.digest.str());
    BlobUploader(session_).send(upload, stop);
    session_.state().known_blobs.add(key_of(upload.blob.digest), KnownBlobs::Source::sent);
  }
}

void RegistryTarget::settle_refused_manifest(const oci::Descriptor& manifest, const net::HttpResponse& response,
                                             const std::stop_token& stop) const {
  if (!says_immutable(response)) session_.fail(response);
  const auto present = tagged_digest(stop);
  if (present == manifest.digest.str()) return;
  Error error(ErrorKind::immutable_tag, fmt::format("the tag '{}' may not be moved: the registry answered {}",
                                                    tag_or_digest(), describe_answer(response)));
  if (present) error.add_hint(fmt::format("the tag is {} there, the new image is {}", *present, manifest.digest.str()));
  error.add_hint("push under another tag");
  throw error;
}

void RegistryTarget::check_access(const std::stop_token& stop) {
  in_phase("check access to " + session_.name(), [&] {
    RegistryRequest request;
    request.url = session_.endpoint().url("/v2/");
    request.scopes = push_scope(session_.repository());
    const net::HttpResponse response = session_.send(request, stop);
    if (response.status == 200) return;
    if (response.status == 404) {
      throw Error(ErrorKind::network, fmt::format("{} does not speak the registry protocol: /v2/ is not there",
                                                  session_.endpoint().registry));
    }
    session_.fail(response);
  });
}

}  // namespace tektii::registry
