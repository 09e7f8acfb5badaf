#include "registry/blob_streamer.hpp"

#include "registry/blob_uploader.hpp"
#include "registry/error_report.hpp"
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace tektii::registry {

namespace {

// Asks about the blob as soon as its digest is known, while the rest of it waits to be sent, and ends there when the
// blob is in the repository: an upload that was broken off in the middle could not be given up any more
// (docker-registry).
class AskingSource : public ByteSource {
 public:
  AskingSource(oci::GrowingBlob& blob, const BlobUploader& uploader, bool& is_there, std::stop_token stop)
      : blob_(blob), uploader_(uploader), is_there_(is_there), stop_(std::move(stop)), source_(blob.open(stop_)) {}

  std::size_t read(std::span<std::byte> out) override {
    if (is_there_) return 0;
    const std::size_t count = source_->read(out);
    if (asked_) return count;
    if (const auto sealed = blob_.sealed()) {
      asked_ = true;
      is_there_ = uploader_.is_there(*sealed, stop_);
    }
    return is_there_ ? 0 : count;
  }

 private:
  oci::GrowingBlob& blob_;
  const BlobUploader& uploader_;
  bool& is_there_;
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
  // A registry that takes chunks alone, or that the user wants chunks for, takes no body of any length.
  if (session_.state().chunk_sizes.chunk_for(session_.endpoint().registry, UINT64_MAX)) return false;
  const BlobUploader uploader(session_);
  try {
    // Left in any way but the good one, it is given up.
    UploadSession upload(session_, require_success(uploader.start(stop), "start of the upload"));
    bool is_there = false;
    upload.follow(require_success(patch(upload.location(), blob, is_there, stop), "upload"));
    if (is_there) return true;
    const auto sealed = blob.wait(stop);
    if (!sealed) return false;
    put_digest(upload, *sealed, stop);
    upload.close();
    return true;
  } catch (const Error& error) {
    throw_if_stopped(stop);
    spdlog::info("a layer could not be sent while it was made: {}", error.what());
    return false;
  }
}

net::HttpResponse BlobStreamer::patch(const net::Url& upload, oci::GrowingBlob& blob, bool& is_there,
                                      const std::stop_token& stop) const {
  const BlobUploader uploader(session_);
  RegistryRequest request;
  request.method = "PATCH";
  request.url = upload;
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.body = [&] {
    is_there = false;
    return std::make_unique<AskingSource>(blob, uploader, is_there, stop);
  };
  request.body_size = std::nullopt;
  request.scopes = push_scope(session_.repository());
  request.retry = false;
  return session_.send(request, stop);
}

void BlobStreamer::put_digest(const UploadSession& upload, const oci::Descriptor& blob,
                              const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "PUT";
  request.url = upload.location_for(blob.digest);
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.scopes = push_scope(session_.repository());
  request.retry = false;
  require_success(session_.send(request, stop), "end of the upload");
}

}  // namespace tektii::registry
