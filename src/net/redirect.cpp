#include <tektii/net/redirect.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::net {

namespace {

constexpr int k_max_redirects = 10;

bool must_follow(const std::string& method, int status) {
  if (status == 307 || status == 308) return true;
  const bool reads = method == "GET" || method == "HEAD";
  return reads && (status == 301 || status == 302 || status == 303);
}

Url next_hop(const Url& from, const HttpResponse& response) {
  const auto location = response.header("Location");
  if (!location || location->empty()) {
    throw Error(ErrorKind::network, fmt::format("{} answered with redirect {} without a Location",
                                                redact_url(response.url), response.status));
  }
  Url to;
  try {
    to = resolve_url(from, *location);
  } catch (const Error& error) {
    throw Error(ErrorKind::network, fmt::format("{} redirects to where nobody can follow: {}", from.host_port(),
                                                escape_control(error.what())));
  }
  to.fragment.clear();
  if (!to.userinfo.empty()) {
    throw Error(ErrorKind::network, fmt::format("{} redirects to a URL with credentials in it", from.host_port()));
  }
  if (from.scheme == "https" && to.scheme == "http") {
    throw Error(ErrorKind::network, fmt::format("{} redirects from https to http ({}), which is refused",
                                                from.host_port(), redact_url(escape_control(to.str()))));
  }
  return to;
}

}  // namespace

HttpResponse send_with_redirects(HttpTransport& transport, HttpRequest request, ByteSink* sink, std::stop_token stop,
                                 const std::function<void(const Url&)>& check) {
  Url url = Url::parse(request.url);
  const std::string first_host = url.host_port();
  for (int followed = 0; followed <= k_max_redirects; ++followed) {
    HttpResponse response = transport.send(request, sink, stop);
    if (!must_follow(request.method, response.status)) return response;
    const Url to = next_hop(url, response);
    if (check) check(to);
    if (to.origin() != url.origin()) {
      request.authorization.reset();
      request.origin_headers.clear();
      request.tls.reset();
    }
    url = to;
    request.url = to.str();
  }
  throw Error(ErrorKind::network, fmt::format("{} redirects more than {} times", first_host, k_max_redirects));
}

}  // namespace tektii::net
