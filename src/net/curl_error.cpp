#include "net/curl_error.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstring>

namespace tektii::net {

namespace {

std::string host_and_port(const Url& url) {
  return fmt::format("{}:{}", url.host, url.effective_port());
}

std::string detail_of(const CurlFailure& failure) {
  const std::string detail = failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail;
  return escape_control(trim(detail));
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string connect_message(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  std::string reason = failure.os_errno != 0 ? std::strerror(static_cast<int>(failure.os_errno)) : detail_of(failure);
  // With a proxy in between it is another host that did not answer; curl's own text names it.
  if (failure.os_errno != 0 && !mentions(failure.detail, failure.url.host)) {
    reason += fmt::format(" ({})", detail_of(failure));
  }
  return fmt::format("cannot connect to {}: {}", where, reason);
}

std::string broken_message(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  const std::string detail = detail_of(failure);
  if (mentions(detail, "CONNECT tunnel") || mentions(detail, "Proxy CONNECT") || mentions(detail, "from proxy")) {
    return fmt::format("the proxy does not connect to {}: {}", where, detail);
  }
  if (failure.response_started) {
    return fmt::format("the connection to {} broke in the middle of the answer: {}", where, detail);
  }
  if (failure.sending) {
    return fmt::format("the connection to {} broke while the request was being sent: {}", where, detail);
  }
  if (failure.code == CURLE_GOT_NOTHING) return fmt::format("{} closed the connection without an answer", where);
  return fmt::format("the connection to {} broke before an answer came: {}", where, detail);
}

void add_certificate_hint(TransportError& error, const std::string& detail) {
  if (mentions(detail, "self-signed") || mentions(detail, "self signed") || mentions(detail, "local issuer")) {
    error.add_hint(
        "if you trust this server, put its CA certificate into /usr/local/share/ca-certificates and run "
        "update-ca-certificates, or name a file of CA certificates in SSL_CERT_FILE");
  } else if (mentions(detail, "expired") || mentions(detail, "not yet valid")) {
    error.add_hint("renew the server's certificate; also check this machine's clock");
  } else if (mentions(detail, "subject name")) {
    error.add_hint("use the host name that the certificate was made for");
  }
}

TransportError tls_error(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  const std::string detail = detail_of(failure);
  const auto make = [&](std::string message) {
    return TransportError(std::move(message), failure.connected, failure.response_started);
  };
  if (failure.code == CURLE_PEER_FAILED_VERIFICATION) {
    TransportError error = make(fmt::format("TLS: the certificate of {} is not accepted: {}", where, detail));
    add_certificate_hint(error, detail);
    return error;
  }
  if (failure.code == CURLE_SSL_CACERT_BADFILE) {
    TransportError error = make(fmt::format("TLS: the CA certificates can't be read: {}", detail));
    error.add_hint("install the package ca-certificates, or set SSL_CERT_FILE");
    return error;
  }
  if (mentions(detail, "wrong version number") || mentions(detail, "http request")) {
    TransportError error = make(fmt::format("{} does not speak TLS: {}", where, detail));
    error.add_hint("plain http is used for localhost and loopback addresses only");
    return error;
  }
  return make(fmt::format("TLS handshake with {} failed: {}", where, detail));
}

std::string timeout_message(const CurlFailure& failure) {
  const std::string where = host_and_port(failure.url);
  if (!failure.connected) {
    return fmt::format("cannot connect to {} within {}", where, format_duration(failure.connect_timeout.count()));
  }
  return fmt::format("{} took too long: {}", where, detail_of(failure));
}

// As it is now, it stays: nobody mends a certificate while we wait.
bool is_final(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
}

TransportError describe(const CurlFailure& failure) {
  const auto make = [&](std::string message) {
    return TransportError(std::move(message), failure.connected, failure.response_started);
  };
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST: {
      TransportError error = make(fmt::format("cannot resolve the host name '{}'", failure.url.host));
      error.add_hint("check the name, and that this machine has a network and DNS");
      return error;
    }
    case CURLE_COULDNT_RESOLVE_PROXY: {
      TransportError error =
          make(fmt::format("cannot resolve the proxy on the way to {}: {}", failure.url.host, detail_of(failure)));
      error.add_hint("check HTTPS_PROXY, HTTP_PROXY and NO_PROXY");
      return error;
    }
    case CURLE_COULDNT_CONNECT:
      return make(connect_message(failure));
    case CURLE_OPERATION_TIMEDOUT:
      return make(timeout_message(failure));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
      return tls_error(failure);
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

TransportError make_transport_error(const CurlFailure& failure) {
  TransportError error = describe(failure);
  if (is_final(failure.code)) error.set_final();
  return error;
}

}  // namespace tektii::net
