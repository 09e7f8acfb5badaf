#include "registry/blob_sending.hpp"

#include "registry/blob_uploader.hpp"
#include "registry/error_report.hpp"
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tektii::registry {

namespace {

constexpr int k_max_lost_uploads = 3;
constexpr std::uint64_t k_common_chunk_limit = 4 << 20;

bool is_success(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
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

RegistryRequest upload_request(const RegistrySession& session, std::string method, net::Url url) {
  RegistryRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.scopes = push_scope(session.repository());
  request.retry = false;
  return request;
}

}  // namespace

BlobSending::BlobSending(const BlobUploader& uploader, const RegistrySession& session, const oci::BlobUpload& upload,
                         std::stop_token stop)
    : uploader_(uploader),
      session_(session),
      upload_(upload),
      stop_(std::move(stop)),
      attempts_(session.state().retry, session.endpoint().registry),
      content_(upload.open) {}

void BlobSending::run(std::optional<UploadSession> opened) {
  current_ = std::move(opened);
  while (true) {
    try {
      if (attempt()) break;
    } catch (net::TransportError& error) {
      if (!attempts_.again(error, stop_)) {
        attempts_.explain(error);
        throw;
      }
      if (look_what_arrived()) break;
    }
  }
  if (current_) current_->close();
}

bool BlobSending::attempt() {
  // Before the registry is told of the upload: opening it may mean to fetch it first, and servers do not wait long.
  content_.seek(offset_);
  if (auto refusal = begin()) {
    if (!attempts_.again(*refusal, stop_)) in_phase("start of the upload", [&] { fail(*refusal); });
    return false;
  }
  const auto chunk = session_.state().chunk_sizes.chunk_for(session_.endpoint().registry, upload_.blob.size);
  const std::string phase = "upload of " + format_bytes(upload_.blob.size);
  return in_phase(phase, [&] { return settle(chunk ? send_chunks(*chunk) : send_rest()); });
}

std::optional<net::HttpResponse> BlobSending::begin() {
  if (current_) return std::nullopt;
  auto response = in_phase("start of the upload", [&] { return uploader_.start(stop_); });
  if (!is_success(response)) return response;
  current_.emplace(session_, response);
  return std::nullopt;
}

net::HttpResponse BlobSending::send_rest() {
  auto request = upload_request(session_, "PUT", current_->location_for(upload_.blob.digest));
  last_size_ = upload_.blob.size - offset_;
  if (last_size_ > 0) {
    request.body = [this] { return content_.slice(offset_, last_size_); };
    request.body_size = last_size_;
    if (offset_ > 0) {
      request.headers.push_back({"Content-Range", fmt::format("{}-{}", offset_, upload_.blob.size - 1)});
    }
  }
  return session_.send(request, stop_);
}

net::HttpResponse BlobSending::send_chunks(std::uint64_t chunk) {
  chunk = std::max(chunk, current_->min_chunk());
  while (offset_ < upload_.blob.size) {
    last_size_ = std::min(chunk, upload_.blob.size - offset_);
    auto request = upload_request(session_, "PATCH", current_->location());
    request.body = [this] { return content_.slice(offset_, last_size_); };
    request.body_size = last_size_;
    request.headers.push_back({"Content-Range", fmt::format("{}-{}", offset_, offset_ + last_size_ - 1)});
    const net::HttpResponse response = session_.send(request, stop_);
    if (!is_success(response)) return response;
    // Our own count is what holds: the Range of Amazon ECR's answers stays at that of the first chunk.
    offset_ += last_size_;
    current_->follow(response);
    attempts_.progressed();
  }
  auto request = upload_request(session_, "PUT", current_->location_for(upload_.blob.digest));
  last_size_ = 0;
  return session_.send(request, stop_);
}

bool BlobSending::settle(net::HttpResponse response) {
  if (is_success(response)) return true;
  if (has_error_code(response, "DIGEST_INVALID") || has_error_code(response, "SIZE_INVALID")) {
    settle_refused_content(response);
    return false;
  }
  // 416 is GitHub's answer to a chunk of more than 4 MiB, or anybody's to an offset that does not fit.
  const bool is_chunk = last_size_ < upload_.blob.size;
  const bool too_large = response.status == 413 ||
                         (response.status == 416 && is_chunk && offset_ == 0 && last_size_ > k_common_chunk_limit);
  if (too_large) {
    const auto refused = response.status == 416 ? k_common_chunk_limit + 1 : last_size_;
    const bool may_be_smaller = current_->min_chunk() < refused;
    if (!may_be_smaller || !session_.state().chunk_sizes.refused(session_.endpoint().registry, refused)) fail(response);
    spdlog::info("{} refuses a body of {}: {} goes in chunks", session_.endpoint().registry, format_bytes(last_size_),
                 upload_.blob.digest.str());
    // What is in front of a registry refuses before the registry hears of it, so the upload is as it was.
    if (response.status == 416) begin_anew();
    return false;
  }
  if (response.status == 416 && ++lost_uploads_ <= k_max_lost_uploads) return look_what_arrived();
  const bool upload_is_lost = response.status == 404 && !has_error_code(response, "NAME_UNKNOWN");
  if (upload_is_lost && ++lost_uploads_ <= k_max_lost_uploads) {
    current_->close();
    begin_anew();
    return uploader_.is_there(upload_.blob, stop_);
  }
  if (!attempts_.again(response, stop_)) fail(response);
  return look_what_arrived();
}

// The upload is gone with that answer. Once it may have been the way there, or a resume that trusted a wrong Range.
void BlobSending::settle_refused_content(net::HttpResponse& response) {
  current_->close();
  check_own_content(upload_, stop_);
  if (std::exchange(content_was_refused_, true)) fail(response);
  may_resume_ = false;
  begin_anew();
}

bool BlobSending::look_what_arrived() {
  if (uploader_.is_there(upload_.blob, stop_)) return true;
  const auto stored = current_ && may_resume_ ? current_->stored(stop_) : std::nullopt;
  const bool proven = stored && *stored <= upload_.blob.size && *stored > resumed_from_ && *stored >= offset_;
  if (!proven) {
    begin_anew();
    return false;
  }
  spdlog::info("the upload of {} goes on after {}", upload_.blob.digest.str(), format_bytes(*stored));
  offset_ = *stored;
  resumed_from_ = *stored;
  attempts_.progressed();
  return false;
}

void BlobSending::begin_anew() {
  current_.reset();
  offset_ = 0;
}

void BlobSending::fail(net::HttpResponse& response) const {
  attempts_.note(response);
  session_.fail(response);
}

}  // namespace tektii::registry
