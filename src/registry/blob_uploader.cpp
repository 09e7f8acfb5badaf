#include "registry/blob_uploader.hpp"

#include "registry/error_report.hpp"
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace tektii::registry {

namespace {

bool is_success(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

bool content_was_refused(const net::HttpResponse& response) {
  return has_error_code(response, "DIGEST_INVALID") || has_error_code(response, "SIZE_INVALID");
}

// The upload is gone or the registry is busy; a new one may succeed.
bool may_start_again(const net::HttpResponse& response) {
  if (net::classify(response.status, response.body) == net::StatusClass::retry_after) return true;
  return response.status == 404 || response.status == 416 || content_was_refused(response);
}

class NullSink : public ByteSink {
 public:
  void write(ByteSpan /*data*/) override {}
};

// After the registry says that the content does not fit its digest: is it us or the way there?
void check_own_content(const oci::BlobUpload& upload, const std::stop_token& stop) {
  NullSink nowhere;
  HashingSink hash(nowhere);
  const auto source = upload.open();
  copy_stream(*source, hash, stop);
  const std::string hex = hash.finish_hex();
  if (hex == upload.blob.digest.hex()) return;
  throw Error(ErrorKind::failure, fmt::format("the content of {} changed while it was sent; it is sha256:{} now",
                                              upload.blob.digest.str(), hex));
}

}  // namespace

bool BlobUploader::is_there(const oci::Descriptor& blob, const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "HEAD";
  request.url = session_.url("/blobs/" + blob.digest.str());
  request.scopes = push_scope(session_.repository());
  const net::HttpResponse response = session_.send(request, stop);
  if (response.status != 200) return false;
  const auto length = response.header("Content-Length");
  return !length || parse_int(*length) == static_cast<std::int64_t>(blob.size);
}

BlobUploader::MountResult BlobUploader::try_mount(const oci::BlobUpload& upload, const std::stop_token& stop) const {
  const bool possible = upload.origin && upload.origin->registry == session_.endpoint().registry &&
                        upload.origin->repository != session_.repository();
  if (!possible) return {};
  RegistryRequest request;
  request.method = "POST";
  request.url = net::with_query(session_.url("/blobs/uploads/"), "mount", upload.blob.digest.str());
  request.url = net::with_query(request.url, "from", upload.origin->repository);
  request.scopes = push_scope(session_.repository());
  request.scopes.push_back(pull_scope(upload.origin->repository).front());
  request.retry = false;
  try {
    const net::HttpResponse response = session_.send(request, stop);
    if (response.status == 201) return {true, std::nullopt};
    if (response.status == 202) return {false, upload_location(response)};
    spdlog::debug("mount of {}: {}", upload.blob.digest.str(), describe_answer(response));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::debug("mount of {}: {}", upload.blob.digest.str(), error.what());
  }
  return {};
}

net::HttpResponse BlobUploader::start(const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "POST";
  request.url = session_.url("/blobs/uploads/");
  request.scopes = push_scope(session_.repository());
  request.retry = false;  // send_content counts the attempts
  return session_.send(request, stop);
}

net::Url BlobUploader::upload_location(const net::HttpResponse& response) const {
  const auto location = response.header("Location");
  if (!location || location->empty()) {
    throw Error(ErrorKind::network,
                "the server accepts an upload without saying where to; it does not speak the "
                "registry protocol");
  }
  net::Url url = net::resolve_url(net::Url::parse(response.url), *location);
  url.fragment.clear();
  check_handed_out_url(session_.endpoint(), url, "upload location");
  return url;
}

net::HttpResponse BlobUploader::put(const oci::BlobUpload& upload, const net::Url& url,
                                    std::unique_ptr<ByteSource> content, const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "PUT";
  request.url = net::with_query(url, "digest", upload.blob.digest.str());
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.body = [&] { return content ? std::move(content) : upload.open(); };
  request.body_size = upload.blob.size;
  request.scopes = push_scope(session_.repository());
  request.retry = false;
  return session_.send(request, stop);
}

void BlobUploader::send_content(const oci::BlobUpload& upload, std::optional<net::Url> upload_url,
                                const std::stop_token& stop) const {
  net::Backoff backoff(session_.state().retry, session_.state().clock);
  while (true) {
    try {
      net::HttpResponse response;
      // Before the registry is told of the upload: opening it may mean to fetch it first, and servers do not wait long.
      auto content = upload.open();
      if (!upload_url) {
        response = start(stop);
        const bool busy = net::classify(response.status, response.body) == net::StatusClass::retry_after;
        if (!is_success(response) && !busy) in_phase("start of the upload", [&] { session_.fail(response); });
        if (is_success(response)) upload_url = upload_location(response);
      }
      if (upload_url) response = put(upload, *upload_url, std::move(content), stop);
      if (is_success(response)) return;
      if (content_was_refused(response)) check_own_content(upload, stop);
      if (!may_start_again(response) || !backoff.next_attempt(stop, net::retry_after(response))) {
        session_.fail(response);
      }
    } catch (const net::TransportError&) {
      if (!backoff.next_attempt(stop)) throw;
    }
    upload_url.reset();
    // The connection may have broken after the registry had taken everything.
    if (is_there(upload.blob, stop)) return;
  }
}

void BlobUploader::upload(const oci::BlobUpload& upload, const std::stop_token& stop) const {
  if (in_phase("check for the blob", [&] { return is_there(upload.blob, stop); })) return;
  MountResult mount = try_mount(upload, stop);
  if (mount.mounted) return;
  send_content(upload, std::move(mount.upload_url), stop);
}

}  // namespace tektii::registry
