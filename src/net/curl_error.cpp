#include "net/curl_error.hpp"

#include "net/tls_error.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <utility>

namespace tektii::net {

namespace {

constexpr const char* k_proxy_hint =
    "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY; hosts that are reached without it belong into NO_PROXY";

std::string host_and_port(const Url& url) {
  return fmt::format("{}:{}", url.host, url.effective_port());
}

std::string detail_of(const CurlFailure& failure) {
  const std::string detail = failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail;
  return escape_control(trim(detail));
}

std::string connect_message(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  const std::string reason =
      failure.os_errno != 0 ? std::strerror(static_cast<int>(failure.os_errno)) : detail_of(failure);
  return fmt::format("cannot connect to {}: {}", where, reason);
}

std::string broken_message(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  const std::string detail = detail_of(failure);
  if (failure.response_started) {
    return fmt::format("the connection to {} broke in the middle of the answer: {}", where, detail);
  }
  if (failure.sending) {
    return fmt::format("the connection to {} broke while the request was being sent: {}", where, detail);
  }
  if (failure.code == CURLE_GOT_NOTHING) return fmt::format("{} closed the connection without an answer", where);
  return fmt::format("the connection to {} broke before an answer came: {}", where, detail);
}

std::string timeout_message(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  if (!failure.connected) {
    return fmt::format("cannot connect to {} within {}", where, format_duration(failure.connect_timeout.count()));
  }
  return fmt::format("{} took too long: {}", where, detail_of(failure));
}

// What a proxy said to CONNECT; nullopt when that is not what failed.
std::optional<int> connect_status(const std::string& detail) {
  for (const std::string_view prefix : {"CONNECT tunnel failed, response ", "Received HTTP code "}) {
    const auto at = detail.find(prefix);
    if (at == std::string::npos) continue;
    if (const auto status = parse_int(detail.substr(at + prefix.size(), 3))) return static_cast<int>(*status);
  }
  return std::nullopt;
}

// Nothing of the server's own was seen yet: it is the proxy that failed. nullopt when it was not.
std::optional<TransportError> proxy_error(const CurlFailure& failure) {
  if (!failure.proxy) return std::nullopt;
  if (const auto status = connect_status(failure.detail)) {
    return make_proxy_refusal(failure.url, *failure.proxy, *status);
  }
  const bool unreachable = failure.code == CURLE_COULDNT_CONNECT || failure.code == CURLE_COULDNT_RESOLVE_PROXY ||
                           failure.code == CURLE_PROXY ||
                           (failure.code == CURLE_OPERATION_TIMEDOUT && !failure.connected);
  if (!unreachable) return std::nullopt;
  // curl's text may hold the proxy's address, which is shown anyway, but never its login.
  const std::string reason = failure.os_errno != 0 ? std::strerror(static_cast<int>(failure.os_errno))
                             : failure.code == CURLE_COULDNT_RESOLVE_PROXY ? "its name cannot be resolved"
                             : failure.code == CURLE_OPERATION_TIMEDOUT
                                 ? fmt::format("no answer within {}", format_duration(failure.connect_timeout.count()))
                                 : detail_of(failure);
  TransportError error(fmt::format("cannot connect to the proxy {} on the way to {}: {}", failure.proxy->shown(),
                                   host_and_port(failure.url), reason),
                       false, false);
  error.add_hint(k_proxy_hint);
  return error;
}

// As it is now, it stays: nobody mends a certificate while we wait.
bool is_final(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
}

TransportError describe(const CurlFailure& failure) {
  if (auto error = proxy_error(failure)) return std::move(*error);
  if (auto error = tls_error(failure)) return std::move(*error);
  const auto make = [&](std::string message) {
    return TransportError(std::move(message), failure.connected, failure.response_started);
  };
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST: {
      TransportError error = make(fmt::format("cannot resolve the host name '{}'", failure.url.host));
      error.add_hint("check the name, and that this machine has a network and DNS");
      return error;
    }
    case CURLE_COULDNT_CONNECT:
      return make(connect_message(failure));
    case CURLE_OPERATION_TIMEDOUT:
      return make(timeout_message(failure));
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
      return make(broken_message(failure));
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return make(fmt::format("{} does not answer in HTTP: {}", host_and_port(failure.url), detail_of(failure)));
    default:
      return make(fmt::format("request to {} failed: {}", host_and_port(failure.url), detail_of(failure)));
  }
}

}  // namespace

TransportError make_proxy_refusal(const Url& url, const Proxy& proxy, int status) {
  const std::string where = host_and_port(url);
  if (status == 407) {
    TransportError error(fmt::format("the proxy {} on the way to {} wants a login (407)", proxy.shown(), where), false,
                         false);
    error.add_hint(
        fmt::format("put it into {}: http://USER:PASSWORD@HOST:PORT, with special characters as %XX", proxy.variable));
    error.set_final();
    return error;
  }
  TransportError error(fmt::format("the proxy {} does not connect to {}: it answered {}", proxy.shown(), where, status),
                       false, false);
  error.add_hint(k_proxy_hint);
  if (status < 500 && status != 408 && status != 429) error.set_final();
  return error;
}

TransportError make_transport_error(const CurlFailure& failure) {
  TransportError error = describe(failure);
  if (is_final(failure.code)) error.set_final();
  return error;
}

}  // namespace tektii::net
