#pragma once

#include <tektii/net/tls.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/secret.hpp>
#include <tektii/util/stream.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tektii::net {

struct Header {
  std::string name;
  std::string value;
};

struct HttpResponse;

// Keys that a request to Amazon Web Services is signed with (Signature Version 4).
struct AwsSigning {
  std::string region;
  std::string service;
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // of temporary credentials
};

// One HTTP request. Redirects are never followed here: callers that hold credentials follow them by hand.
struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::optional<Secret> authorization;         // value of the Authorization header; never logged
  BlobOpener body;                             // empty: no body; called again when the transport has to rewind
  std::optional<std::uint64_t> body_size = 0;  // nullopt: until its end, sent in chunks (RFC 9112 section 7.1)
  std::chrono::milliseconds connect_timeout{30000};
  std::chrono::milliseconds stall_timeout{60000};    // no byte in either direction for this long, or next to none
  std::uint64_t low_speed = 256;                     // bytes a second over stall_timeout: less counts as none
  std::chrono::milliseconds answer_timeout{300000};  // for the first byte of an answer once a body was sent
  std::optional<std::chrono::milliseconds> total_timeout = std::nullopt;
  // Called with status and headers before the first byte of a 2xx body goes to the sink; may throw to refuse it.
  std::function<void(const HttpResponse&)> on_head = {};
  std::optional<AwsSigning> aws_signing = std::nullopt;  // instead of `authorization`; only for a URL without a query
  bool direct = false;                                   // through no proxy: metadata services of this machine
  // For the origin of `url` alone: whoever follows a redirect to another one drops both.
  std::vector<Header> origin_headers = {};
  std::shared_ptr<const TlsSettings> tls = {};  // null: what the transport has for the host
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers;             // in order of arrival
  std::string body;                        // when no sink was given, or for any status that is not 2xx; at most 1 MiB
  std::string url;                         // the one asked
  int attempts = 1;                        // filled by whoever sends a request several times: how often,
  std::chrono::milliseconds tried_for{0};  // and how long that took

  // First header of that name, without case.
  std::optional<std::string> header(std::string_view name) const;
  std::vector<std::string> all_headers(std::string_view name) const;
};

// Seam: sends one request. Thread-safe.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  // Any status is a value; a failure of the transport throws TransportError. A 2xx body goes to `sink` when one is
  // given (sink.finish() is not called).
  virtual HttpResponse send(const HttpRequest& request, ByteSink* sink, std::stop_token stop) = 0;
};

// What was wrong with the TLS of a connection.
enum class TlsProblem {
  none,
  untrusted,           // no trusted authority vouches for the certificate, or it is self-signed
  expired,             // or not valid yet
  wrong_name,          // it is another host's
  client_certificate,  // the server wants to see one, or does not accept ours
  not_tls,             // it answered in something else
  other,
};

// The connection failed, timed out or broke. Kind network.
class TransportError : public Error {
 public:
  // `response_started`: some byte of a response had arrived, so the server may have acted on the request.
  TransportError(std::string message, bool connected, bool response_started)
      : Error(ErrorKind::network, std::move(message)), connected_(connected), response_started_(response_started) {}
  bool connected() const { return connected_; }
  bool response_started() const { return response_started_; }
  // Another attempt would end the same way: a certificate that is not accepted, an answer that is not HTTP.
  bool is_final() const { return is_final_; }
  void set_final() { is_final_ = true; }
  TlsProblem tls_problem() const { return tls_problem_; }
  void set_tls_problem(TlsProblem problem) { tls_problem_ = problem; }

 private:
  bool connected_;
  bool response_started_;
  bool is_final_ = false;
  TlsProblem tls_problem_ = TlsProblem::none;
};

// libcurl, HTTP/1.1, connections kept and reused across threads' requests. Proxies are those of the environment.
std::unique_ptr<HttpTransport> make_curl_transport(const std::string& user_agent, TlsLookup tls_for = {});

}  // namespace tektii::net
