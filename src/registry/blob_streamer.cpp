#include "registry/blob_streamer.hpp"

#include "registry/blob_uploader.hpp"
#include "registry/error_report.hpp"
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <utility>

namespace tektii::registry {

namespace {

// Leaves the request whose body is being read.
struct AlreadyThere {};

// Asks about the blob as soon as its digest is known, while the rest of it waits to be sent.
class AskingSource : public ByteSource {
 public:
  AskingSource(oci::GrowingBlob& blob, const BlobUploader& uploader, std::stop_token stop)
      : blob_(blob), uploader_(uploader), stop_(std::move(stop)), source_(blob.open(stop_)) {}

  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = source_->read(out);
    if (asked_) return count;
    if (const auto sealed = blob_.sealed()) {
      asked_ = true;
      if (uploader_.is_there(*sealed, stop_)) throw AlreadyThere();
    }
    return count;
  }

 private:
  oci::GrowingBlob& blob_;
  const BlobUploader& uploader_;
  std::stop_token stop_;
  std::unique_ptr<ByteSource> source_;
  bool asked_ = false;
};

net::HttpResponse require_success(net::HttpResponse response, std::string_view what) {
  if (response.status >= 200 && response.status < 300) return response;
  throw Error(ErrorKind::network, fmt::format("{}: {}", what, describe_answer(response)));
}

}  // namespace

bool BlobStreamer::send(oci::GrowingBlob& blob, const std::stop_token& stop) const {
  const BlobUploader uploader(session_);
  std::optional<net::Url> upload;
  try {
    upload = uploader.upload_location(require_success(uploader.start(stop), "start of the upload"));
    upload = uploader.upload_location(require_success(patch(*upload, blob, stop), "upload"));
    const auto sealed = blob.wait(stop);
    if (sealed) put_digest(*upload, *sealed, stop);
    return sealed.has_value();
  } catch (const AlreadyThere&) {
    give_up(*upload);
    return true;
  } catch (const Error& error) {
    if (upload) give_up(*upload);
    throw_if_stopped(stop);
    spdlog::info("a layer could not be sent while it was made: {}", error.what());
    return false;
  }
}

net::HttpResponse BlobStreamer::patch(const net::Url& upload, oci::GrowingBlob& blob,
                                      const std::stop_token& stop) const {
  const BlobUploader uploader(session_);
  RegistryRequest request;
  request.method = "PATCH";
  request.url = upload;
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.body = [&] { return std::make_unique<AskingSource>(blob, uploader, stop); };
  request.body_size = std::nullopt;
  request.scopes = push_scope(session_.repository());
  request.retry = false;
  return session_.send(request, stop);
}

void BlobStreamer::put_digest(const net::Url& upload, const oci::Descriptor& blob, const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "PUT";
  request.url = net::with_query(upload, "digest", blob.digest.str());
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.scopes = push_scope(session_.repository());
  request.retry = false;
  require_success(session_.send(request, stop), "end of the upload");
}

// A courtesy: registries forget uploads that nothing comes for.
void BlobStreamer::give_up(const net::Url& upload) const {
  try {
    RegistryRequest request;
    request.method = "DELETE";
    request.url = upload;
    request.scopes = push_scope(session_.repository());
    request.retry = false;
    session_.send(request, {});
  } catch (const std::exception& error) {
    spdlog::debug("an upload could not be given up: {}", error.what());
  }
}

}  // namespace tektii::registry
