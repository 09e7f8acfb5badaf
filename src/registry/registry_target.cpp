#include "registry/registry_target.hpp"

#include "registry/blob_streamer.hpp"
#include "registry/blob_uploader.hpp"
#include "registry/error_report.hpp"
#include "registry/registry_image.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

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

net::HttpResponse RegistryTarget::ask_manifest(const std::string& method, const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = method;
  request.url = session_.url("/manifests/" + tag_or_digest());
  request.headers = {manifest_accept_header()};
  request.document_limit = method == "GET" ? k_max_manifest : 0;
  request.scopes = push_scope(session_.repository());
  return session_.send(request, stop);
}

std::optional<std::string> RegistryTarget::tagged_digest(const std::stop_token& stop) const {
  const net::HttpResponse head = ask_manifest("HEAD", stop);
  // A role that may only push gets 403 here; that says nothing about the push.
  if (head.status != 200) return std::nullopt;
  if (const auto digest = head.header("Docker-Content-Digest"); digest && oci::Digest::is_valid(*digest)) return digest;
  const net::HttpResponse full = ask_manifest("GET", stop);
  if (full.status != 200) return std::nullopt;
  return oci::Digest::of_bytes(full.body).str();
}

bool RegistryTarget::has_manifest(const oci::Descriptor& manifest, std::stop_token stop) {
  return in_phase("look for the manifest of " + reference_.str(),
                  [&] { return tagged_digest(stop) == manifest.digest.str(); });
}

void RegistryTarget::put_blob(const oci::BlobUpload& upload, std::stop_token stop) {
  const std::string key = uploaded_key(upload.blob.digest);
  ClientState& state = session_.state();
  const auto is_known = [&] {
    const std::lock_guard lock(state.uploaded_mutex);
    return state.uploaded.count(key) > 0;
  };
  if (is_known()) return;
  in_phase(fmt::format("push of blob {} to {}", upload.blob.digest.str(), session_.name()), [&] {
    state.uploads.run(key, stop, [&] {
      if (is_known()) return true;
      BlobUploader(session_).upload(upload, stop);
      const std::lock_guard lock(state.uploaded_mutex);
      state.uploaded.insert(key);
      return true;
    });
  });
}

bool RegistryTarget::stream_blob(oci::GrowingBlob& blob, const std::stop_token& stop) {
  if (!BlobStreamer(session_).send(blob, stop)) return false;
  ClientState& state = session_.state();
  const std::lock_guard lock(state.uploaded_mutex);
  state.uploaded.insert(uploaded_key(blob.sealed()->digest));
  return true;
}

std::string RegistryTarget::uploaded_key(const oci::Digest& digest) const {
  return session_.name() + "@" + digest.str();
}

void RegistryTarget::put_manifest(const oci::Descriptor& manifest, const std::string& bytes, std::stop_token stop) {
  in_phase("push of the manifest to " + reference_.str(), [&] {
    RegistryRequest request;
    request.method = "PUT";
    request.url = session_.url("/manifests/" + tag_or_digest());
    request.headers = {{"Content-Type", manifest.media_type}};
    request.body = [&bytes] { return std::make_unique<StringSource>(bytes); };
    request.body_size = bytes.size();
    request.scopes = push_scope(session_.repository());
    const net::HttpResponse response = session_.send(request, stop);
    if (response.status < 200 || response.status >= 300) return settle_refused_manifest(manifest, response, stop);
    const auto digest = response.header("Docker-Content-Digest");
    if (digest && oci::Digest::is_valid(*digest) && *digest != manifest.digest.str()) {
      throw Error(ErrorKind::failure,
                  fmt::format("the registry stored {} instead of {}", *digest, manifest.digest.str()));
    }
  });
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
