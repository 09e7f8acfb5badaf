#include "api/download.hpp"

#include "api/retry.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tektii::api {

namespace {

// "bytes 100-199/200" -> 100; nullopt for anything else (RFC 9110 section 14.4).
std::optional<std::uint64_t> first_of_content_range(const std::string& header) {
  constexpr std::string_view k_unit = "bytes ";
  if (!header.starts_with(k_unit)) return std::nullopt;
  const std::size_t dash = header.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto first = parse_int(header.substr(k_unit.size(), dash - k_unit.size()));
  if (!first || *first < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*first);
}

// Hands on what the receiver has not had yet. When the server starts from the beginning again, the bytes that are known
// are compared by their hash and left out.
class ResumableSink : public ByteSink {
 public:
  ResumableSink(ByteSink& next, const DownloadProgress& progress) : next_(next), progress_(progress) {}

  std::uint64_t delivered() const { return delivered_; }
  const std::string& validator() const { return validator_; }

  // The head of the next answer.
  void begin(const net::HttpResponse& response) {
    to_skip_ = 0;
    total_ = std::nullopt;
    if (const auto length = parse_int(response.header("Content-Length").value_or(""))) {
      total_ = static_cast<std::uint64_t>(std::max<std::int64_t>(*length, 0));
    }
    if (response.status == 206) {
      const auto first = first_of_content_range(response.header("Content-Range").value_or(""));
      if (first != delivered_ || skipping_) throw changed("the server answers with another part than was asked for");
      if (total_) *total_ += delivered_;
    } else {
      if (skipping_) seen_.reset();
      if (!skipping_ && delivered_ > 0) known_digest_ = take_digest();
      to_skip_ = delivered_;
      skipping_ = delivered_ > 0;
      skipped_.reset();
    }
    const std::string etag = response.header("ETag").value_or("");
    // A weak one says nothing about bytes (RFC 9110 section 13.1.5).
    validator_ = etag.starts_with("W/") ? "" : etag.empty() ? response.header("Last-Modified").value_or("") : etag;
  }

  void write(ByteSpan data) override {
    if (to_skip_ > 0) {
      const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, data.size()));
      skipped_.update(data.first(known));
      seen_.update(data.first(known));
      to_skip_ -= known;
      if (to_skip_ == 0) {
        if (skipped_.finish_hex() != known_digest_) throw changed("they begin with other bytes now");
        skipping_ = false;
      }
      data = data.subspan(known);
    }
    if (data.empty()) return;
    seen_.update(data);
    delivered_ += data.size();
    next_.write(data);
    if (progress_) progress_(delivered_, total_);
  }

  // The body has ended; a shorter one than before is another document.
  void end() const {
    if (to_skip_ > 0) throw changed("they are shorter now");
  }

 private:
  // The digest of what was delivered; the hash begins anew, to take the same bytes in a second time.
  std::string take_digest() {
    std::string digest = seen_.finish_hex();
    seen_.reset();
    return digest;
  }
  static Error changed(std::string_view how) {
    return Error(ErrorKind::network, fmt::format("the results changed while they were downloaded: {}", how))
        .add_hint("download them again");
  }

  ByteSink& next_;
  const DownloadProgress& progress_;
  std::uint64_t delivered_ = 0;
  std::uint64_t to_skip_ = 0;
  std::optional<std::uint64_t> total_;
  std::string validator_;
  Sha256 seen_;     // of what was delivered, or has been skipped so far
  Sha256 skipped_;  // of what has been skipped
  bool skipping_ = false;
  std::string known_digest_;  // while skipping: of the bytes that were delivered before
};

std::vector<net::Header> range_headers(const ResumableSink& sink) {
  if (sink.delivered() == 0 || sink.validator().empty()) return {};
  return {{"Range", fmt::format("bytes={}-", sink.delivered())}, {"If-Range", sink.validator()}};
}

}  // namespace

void download(Caller& caller, const Call& call, ByteSink& sink, const DownloadProgress& progress,
              const std::stop_token& stop) {
  ResumableSink receiver(sink, progress);
  std::uint64_t before = 0;
  for (int attempt = 1;; ++attempt) {
    throw_if_stopped(stop);
    Decision decision;
    try {
      const net::HttpResponse response = caller.stream_once(
          call, range_headers(receiver), receiver, [&](const net::HttpResponse& head) { receiver.begin(head); }, stop);
      decision = caller.judge(response, true, attempt);
      if (decision.verdict == Verdict::accept) return receiver.end();
      if (decision.verdict == Verdict::fail) throw caller.error_for(call, response);
    } catch (net::TransportError& error) {
      if (receiver.delivered() > before) attempt = 1;  // it gets on
      before = receiver.delivered();
      decision = decide_broken(error.connected(), true, attempt);
      if (decision.verdict != Verdict::retry) throw;
      spdlog::info("the download broke at {} bytes: {}", before, escape_control(error.what()));
    }
    caller.wait(decision.wait, stop);
  }
}

}  // namespace tektii::api
