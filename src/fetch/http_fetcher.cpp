#include "fetch/credentials.hpp"
#include <tektii/fetch/http_fetcher.hpp>
#include <tektii/net/redirect.hpp>
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::fetch {

namespace {

// The part of the file that is here, across the attempts.
class Download : public ByteSink {
 public:
  explicit Download(const std::function<ByteSink&()>& open_target) : open_target_(open_target) {}

  void write(ByteSpan data) override {
    received_ += data.size();
    target_->write(data);
  }
  // What comes next is the file from its beginning.
  void restart() {
    target_ = &open_target_();
    received_ = 0;
  }
  std::uint64_t received() const { return received_; }

 private:
  const std::function<ByteSink&()>& open_target_;
  ByteSink* target_ = nullptr;
  std::uint64_t received_ = 0;
};

net::HttpRequest first_request(const HttpFileRequest& request) {
  net::HttpRequest http;
  auto url = net::Url::parse(request.url);
  http.authorization = request.authorization;
  if (!url.userinfo.empty() && !http.authorization) {
    http.authorization = basic_authorization(url.userinfo);
  }
  url.userinfo.clear();
  url.fragment.clear();
  http.url = url.str();
  if (!request.etag.empty()) http.headers.push_back({"If-None-Match", request.etag});
  // RFC 9110 section 13.1.3: for servers without entity tags.
  if (request.etag.empty() && !request.last_modified.empty()) {
    http.headers.push_back({"If-Modified-Since", request.last_modified});
  }
  return http;
}

[[noreturn]] void fail(const net::HttpResponse& response, const HttpFileRequest& request) {
  const bool denied = response.status == 401 || response.status == 403;
  Error error(denied ? ErrorKind::denied : ErrorKind::network,
              fmt::format("the server answered with status {}", response.status));
  if (denied) {
    const auto url = net::Url::parse(request.url);
    error.add_hint(request.authorization || !url.userinfo.empty()
                       ? fmt::format("{} does not accept the credentials that were given", url.host_port())
                       : fmt::format("if the file needs credentials, give them as the secret HTTP_AUTH_TOKEN_{0} or "
                                     "HTTP_AUTH_HEADER_{0}",
                                     http_secret_host(request.url)));
  }
  throw error;
}

// A server of the internet has no business with what only this machine can reach: the metadata service of a cloud, say.
void refuse_narrower(const net::Url& from, const net::Url& to) {
  if (net::host_scope(from.host) != net::HostScope::public_host) return;
  if (net::host_scope(to.host) == net::HostScope::public_host) return;
  throw Error(ErrorKind::network,
              fmt::format("{} redirects to an address of this machine or of a private network, which is refused: {}",
                          from.host_port(), net::redact_url(escape_control(to.str()))));
}

// One file, attempt after attempt.
class Attempts {
 public:
  Attempts(net::HttpTransport& transport, const HttpFileRequest& request, const std::function<ByteSink&()>& open_target)
      : transport_(transport), request_(request), download_(open_target) {}

  // nullopt: the answer may be another one later; `last()` has it.
  std::optional<HttpFile> attempt(const std::stop_token& stop) {
    auto http = first_request(request_);
    const std::uint64_t offset = can_resume() ? download_.received() : 0;
    if (offset > 0) {
      http.headers = {{"Range", fmt::format("bytes={}-", offset)}, {"If-Range", file_.etag}};
    }
    bool begun = false;
    http.on_head = [&](const net::HttpResponse& head) {
      begun = true;
      begin_body(head, offset);
    };
    last_ = net::send_with_redirects(transport_, http, &download_, stop,
                                     [from = net::Url::parse(http.url)](const auto& to) { refuse_narrower(from, to); });
    if (last_.status == 200 && !begun) begin_body(last_, 0);  // an empty file
    if (last_.status == 304 && offset == 0 && http.headers.size() == 1) {
      file_ = {};
      file_.not_modified = true;
      file_.etag = request_.etag;
      file_.last_modified = request_.last_modified;
      return file_;
    }
    if (last_.status == 200 || (last_.status == 206 && offset > 0)) {
      file_.size = download_.received();
      return file_;
    }
    if (net::classify(last_.status, last_.body) == net::StatusClass::retry_after) return std::nullopt;
    fail(last_, request_);
  }

  const net::HttpResponse& last() const { return last_; }

 private:
  // A weak tag does not promise the same bytes.
  bool can_resume() const { return !file_.etag.empty() && !file_.etag.starts_with("W/"); }

  void begin_body(const net::HttpResponse& head, std::uint64_t offset) {
    const bool goes_on = offset > 0 && head.status == 206 &&
                         head.header("Content-Range").value_or("").starts_with(fmt::format("bytes {}-", offset));
    if (goes_on) return;
    if (head.status != 200) {
      throw Error(ErrorKind::network, fmt::format("the server answered with status {} and another part of the file "
                                                  "than it was asked for",
                                                  head.status));
    }
    download_.restart();
    file_ = {};
    file_.etag = head.header("ETag").value_or("");
    file_.last_modified = head.header("Last-Modified").value_or("");
  }

  net::HttpTransport& transport_;
  const HttpFileRequest& request_;
  Download download_;
  HttpFile file_;
  net::HttpResponse last_;
};

}  // namespace

std::string http_secret_host(const std::string& url) {
  auto host = net::Url::parse(url).host;
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

HttpFile HttpFetcher::fetch(const HttpFileRequest& request, const std::function<ByteSink&()>& open_target,
                            const std::stop_token& stop) {
  try {
    Attempts attempts(transport_, request, open_target);
    net::Backoff backoff(retry_, clock_);
    while (true) {
      try {
        if (auto file = attempts.attempt(stop)) return *file;
        if (!backoff.next_attempt(stop, net::retry_after(attempts.last()))) fail(attempts.last(), request);
      } catch (const net::TransportError&) {
        if (!backoff.next_attempt(stop)) throw;
      }
    }
  } catch (Error& error) {
    if (error.kind() != ErrorKind::interrupted) {
      error.add_context("download " + net::redact_url(escape_control(request.url)));
    }
    throw;
  }
}

}  // namespace tektii::fetch
