#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/secret.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::fetch {

struct HttpFileRequest {
  std::string url;  // http or https; user information in it becomes a Basic authorization unless there is one
  std::optional<Secret> authorization;  // of the Authorization header
  // What the server said about the file the last time; empty when nothing is known. With one of them the server may
  // answer that the file is still the same.
  std::string etag;
  std::string last_modified;
};

struct HttpFile {
  bool not_modified = false;  // nothing was sent: the file is the one that the validators were for
  std::uint64_t size = 0;
  std::string etag;  // as the server sent them
  std::string last_modified;
};

// What a host is called in the names of the secrets HTTP_AUTH_TOKEN_<host> and HTTP_AUTH_HEADER_<host>: as in BuildKit
// without its port, an IPv6 address without its brackets.
std::string http_secret_host(const std::string& url);

// Downloads files. Thread-safe.
class HttpFetcher {
 public:
  // Both outlive the fetcher.
  HttpFetcher(net::HttpTransport& transport, Clock& clock, net::RetryPolicy retry = {})
      : transport_(transport), clock_(clock), retry_(retry) {}

  // Streams the file into what `open_target` gives, which is asked again when a download has to begin anew (the earlier
  // target is not touched any more; finish() is not called). Follows redirects, from public hosts to such alone,
  // repeats what may go better another time, and goes on where a connection broke if the server can say that the file
  // is the same. Throws Error{network} when the file can't be had and Error{denied} when credentials are missing or
  // refused.
  HttpFile fetch(const HttpFileRequest& request, const std::function<ByteSink&()>& open_target,
                 const std::stop_token& stop);

 private:
  net::HttpTransport& transport_;
  Clock& clock_;
  net::RetryPolicy retry_;
};

// The three date forms of RFC 9110 section 5.6.7, in seconds since 1970; nullopt on anything else.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace tektii::fetch
