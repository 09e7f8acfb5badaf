#include "registry/upload_session.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <utility>

namespace tektii::registry {

namespace {

constexpr std::chrono::milliseconds k_patience_to_give_up(2000);

// "0-1048575" of the specification; "bytes=0-1048575" is seen too.
std::optional<std::uint64_t> parse_stored(std::string_view range) {
  range = trim(range);
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  if (!range.starts_with("0-")) return std::nullopt;
  range.remove_prefix(2);
  std::uint64_t last = 0;
  const auto [end, error] = std::from_chars(range.data(), range.data() + range.size(), last);
  if (error != std::errc() || end != range.data() + range.size()) return std::nullopt;
  // "0-0" is what some say of an upload that has no byte yet, so it proves nothing.
  if (last == 0 || last == UINT64_MAX) return std::nullopt;
  return last + 1;
}

}  // namespace

net::Url upload_location(const RegistrySession& session, const net::HttpResponse& response) {
  const auto location = response.header("Location");
  const std::string& registry = session.endpoint().registry;
  if (!location || location->empty()) {
    throw Error(ErrorKind::network, fmt::format("{} accepts an upload without saying where to; it does not speak the "
                                                "registry protocol",
                                                registry));
  }
  try {
    net::Url url = net::resolve_url(net::Url::parse(response.url), *location);
    url.fragment.clear();
    check_handed_out_url(session.endpoint(), url, "upload location");
    return url;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::network) throw;
    throw Error(ErrorKind::network, fmt::format("the upload location that {} names can't be used: {}", registry,
                                                escape_control(error.what())));
  }
}

UploadSession::UploadSession(const RegistrySession& session, const net::HttpResponse& opened)
    : session_(&session), location_(upload_location(session, opened)) {
  const auto least = parse_int(opened.header("OCI-Chunk-Min-Length").value_or(""));
  if (least && *least > 0) min_chunk_ = static_cast<std::uint64_t>(*least);
}

UploadSession::UploadSession(UploadSession&& other) noexcept
    : session_(other.session_),
      location_(std::move(other.location_)),
      min_chunk_(other.min_chunk_),
      open_(std::exchange(other.open_, false)) {}

UploadSession& UploadSession::operator=(UploadSession&& other) noexcept {
  if (this == &other) return *this;
  if (open_) give_up();
  session_ = other.session_;
  location_ = std::move(other.location_);
  min_chunk_ = other.min_chunk_;
  open_ = std::exchange(other.open_, false);
  return *this;
}

UploadSession::~UploadSession() {
  if (open_) give_up();
}

void UploadSession::follow(const net::HttpResponse& response) {
  const auto location = response.header("Location");
  if (location && !location->empty()) location_ = upload_location(*session_, response);
}

std::optional<std::uint64_t> UploadSession::stored(const std::stop_token& stop) {
  RegistryRequest request;
  request.url = location_;
  request.scopes = push_scope(session_->repository());
  const auto response = session_->ask(request, stop);
  if (!response) return std::nullopt;
  if (response->status == 404 || response->status == 410) close();
  if (response->status != 204 && response->status != 202) return std::nullopt;
  follow(*response);
  return parse_stored(response->header("Range").value_or(""));
}

// Also, and above all, when the run was told to stop, so without its stop token.
void UploadSession::give_up() const {
  try {
    RegistryRequest request;
    request.method = "DELETE";
    request.url = location_;
    request.scopes = push_scope(session_->repository());
    request.retry = false;
    request.total_timeout = k_patience_to_give_up;
    session_->send(request, {});
  } catch (const std::exception& error) {
    spdlog::debug("an upload could not be given up: {}", error.what());
  }
}

}  // namespace tektii::registry
