#include "registry/blob_uploader.hpp"

#include "registry/blob_sending.hpp"
#include "registry/error_report.hpp"
#include <tektii/util/text.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace tektii::registry {

bool BlobUploader::is_there(const oci::Descriptor& blob, const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "HEAD";
  request.url = session_.url("/blobs/" + blob.digest.str());
  request.scopes = push_scope(session_.repository());
  const auto response = session_.ask(request, stop);
  if (!response || response->status != 200) return false;
  const auto length = response->header("Content-Length");
  return !length || parse_int(*length) == static_cast<std::int64_t>(blob.size);
}

BlobUploader::MountResult BlobUploader::try_mount(const oci::Digest& digest, const std::string& from,
                                                  const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "POST";
  request.url = net::with_query(session_.url("/blobs/uploads/"), "mount", digest.str());
  request.url = net::with_query(request.url, "from", from);
  request.scopes = push_scope(session_.repository());
  request.scopes.push_back(pull_scope(from).front());
  try {
    const auto response = session_.ask(request, stop);
    if (!response) return {};
    if (response->status == 201) return {true};
    if (response->status == 202) return {false, UploadSession(session_, *response)};
    spdlog::debug("mount of {}: {}", digest.str(), describe_answer(*response));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::debug("mount of {}: {}", digest.str(), error.what());
  }
  return {};
}

net::HttpResponse BlobUploader::start(const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "POST";
  request.url = session_.url("/blobs/uploads/");
  request.scopes = push_scope(session_.repository());
  request.retry = false;  // BlobSending counts the attempts
  return session_.send(request, stop);
}

bool BlobUploader::is_mountable(const oci::BlobUpload& upload) const {
  return upload.origin && upload.origin->registry == session_.endpoint().registry &&
         upload.origin->repository != session_.repository();
}

KnownBlobs::Source BlobUploader::upload(const oci::BlobUpload& upload, const std::stop_token& stop) const {
  using Source = KnownBlobs::Source;
  KnownBlobs& known = session_.state().known_blobs;
  const std::string& registry = session_.endpoint().registry;
  const bool of_base = is_mountable(upload);
  const bool mounts_first = of_base && known.mounts(registry);
  std::optional<UploadSession> opened;
  // Returns true when the blob is there; an upload that the registry opened instead is kept.
  const auto mount = [&](const std::string& from) {
    MountResult result = try_mount(upload.blob.digest, from, stop);
    if (result.upload) opened = std::move(result.upload);
    return result.mounted;
  };
  if (mounts_first) {
    if (mount(upload.origin->repository)) return Source::sent;
    known.note_refused_mount(registry);
  }
  if (is_there(upload.blob, stop)) return Source::seen;
  if (of_base && !mounts_first && mount(upload.origin->repository)) return Source::sent;
  for (const auto& [from_registry, from] : session_.state().transfer.mount_from) {
    const bool is_here = from_registry.empty() || from_registry == registry;
    const bool tried = from == session_.repository() || (of_base && from == upload.origin->repository);
    if (is_here && !tried && mount(from)) return Source::sent;
  }
  BlobSending(*this, session_, upload, stop).run(std::move(opened));
  return Source::sent;
}

void BlobUploader::send(const oci::BlobUpload& upload, const std::stop_token& stop) const {
  BlobSending(*this, session_, upload, stop).run(std::nullopt);
}

}  // namespace tektii::registry
