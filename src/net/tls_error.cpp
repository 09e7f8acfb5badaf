#include "net/tls_error.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tektii::net {

namespace {

struct Finding {
  TlsProblem problem = TlsProblem::other;
  std::string message;
  std::string hint;
};

bool mentions_any(const std::string& text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

// The texts are those of OpenSSL's X509_verify_cert_error_string and of libcurl.
Finding certificate_finding(const std::string& where, const Url& url, const std::string& detail) {
  constexpr const char* k_trust =
      "if you trust this server, put the certificate of its authority into /usr/local/share/ca-certificates and run "
      "update-ca-certificates, or name a file of authorities in SSL_CERT_FILE";
  if (mentions_any(detail, {"certificate in certificate chain", "local issuer", "issuer certificate"})) {
    return {TlsProblem::untrusted, fmt::format("the certificate of {} is signed by an unknown authority", where),
            k_trust};
  }
  if (mentions_any(detail, {"self-signed", "self signed"})) {
    return {TlsProblem::untrusted, fmt::format("the certificate of {} is self-signed", where), k_trust};
  }
  if (mentions_any(detail, {"has expired"})) {
    return {TlsProblem::expired, fmt::format("the certificate of {} has expired", where),
            "renew the server's certificate; also check this machine's clock"};
  }
  if (mentions_any(detail, {"not yet valid"})) {
    return {TlsProblem::expired, fmt::format("the certificate of {} is not valid yet", where),
            "check this machine's clock"};
  }
  if (mentions_any(detail, {"subject name", "hostname mismatch", "IP address mismatch"})) {
    return {TlsProblem::wrong_name, fmt::format("the certificate of {} is not made for the name {}", where, url.host),
            "use the host name that the certificate was made for, or add this one to its alternative names"};
  }
  return {TlsProblem::other, fmt::format("the certificate of {} is not accepted", where), {}};
}

// Alerts about the certificate that we showed or did not.
std::optional<Finding> client_finding(const std::string& where, const std::string& detail) {
  if (mentions_any(detail, {"alert certificate required"})) {
    return Finding{TlsProblem::client_certificate, fmt::format("{} wants a client certificate", where), {}};
  }
  if (mentions_any(detail, {"alert handshake failure"})) {
    return Finding{TlsProblem::client_certificate,
                   fmt::format("{} refuses the handshake; it may want a client certificate", where),
                   {}};
  }
  if (mentions_any(detail,
                   {"alert unknown ca", "alert bad certificate", "alert certificate expired",
                    "alert certificate revoked", "alert certificate unknown", "alert unsupported certificate"})) {
    return Finding{TlsProblem::client_certificate, fmt::format("{} does not accept the client certificate", where), {}};
  }
  return std::nullopt;
}

std::optional<Finding> find(const CurlFailure& failure, const std::string& detail) {
  const std::string where = fmt::format("{}:{}", failure.url.host, failure.url.effective_port());
  if (failure.url.scheme == "https") {
    if (auto client = client_finding(where, detail)) return client;
  }
  switch (failure.code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_finding(where, failure.url, detail);
    case CURLE_SSL_CACERT_BADFILE:
      return Finding{TlsProblem::other, "the certificates of authorities can't be read",
                     "install the package ca-certificates, or set SSL_CERT_FILE"};
    case CURLE_SSL_CERTPROBLEM:
      return Finding{
          TlsProblem::client_certificate, fmt::format("the client certificate for {} can't be used", where), {}};
    case CURLE_SSL_CONNECT_ERROR:
      if (mentions_any(detail, {"wrong version number", "http request", "packet length too long", "record layer"})) {
        return Finding{TlsProblem::not_tls, fmt::format("{} does not speak TLS", where),
                       "plain http is used for this machine's own addresses alone"};
      }
      return Finding{TlsProblem::other, fmt::format("the handshake with {} failed", where), {}};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<TransportError> tls_error(const CurlFailure& failure) {
  const std::string detail =
      escape_control(trim(failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail));
  const auto finding = find(failure, detail);
  if (!finding) return std::nullopt;
  TransportError error(fmt::format("TLS: {}: {}", finding->message, detail), failure.connected,
                       failure.response_started);
  if (!finding->hint.empty()) error.add_hint(finding->hint);
  error.set_tls_problem(finding->problem);
  // Nobody mends a certificate while we wait.
  if (finding->problem != TlsProblem::other) error.set_final();
  return error;
}

}  // namespace tektii::net
