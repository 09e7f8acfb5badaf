#pragma once

#include "registry/attempts.hpp"
#include "registry/authenticator.hpp"
#include "registry/broken_mirrors.hpp"
#include "registry/chunk_sizes.hpp"
#include "registry/endpoint.hpp"
#include "registry/known_blobs.hpp"
#include "registry/scheme_book.hpp"
#include "registry/warning_log.hpp"
#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/single_flight.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tektii::registry {

// What all images and targets of one client share.
struct ClientState {
  ClientState(const RegistryDeps& deps, Clock& used_clock);

  net::HttpTransport& transport;
  Clock& clock;
  RetryState retry;
  Authenticator authenticator;
  TransferOptions transfer;
  ChunkSizes chunk_sizes;
  WarningLog warnings;
  DocumentCache documents;
  KnownBlobs known_blobs;
  SingleFlight<bool> uploads;
  const RegistryHosts* hosts;  // may be null
  SchemeBook schemes;
  BrokenMirrors broken_mirrors;
};

struct RegistryRequest {
  std::string method = "GET";
  net::Url url;
  std::vector<net::Header> headers = {};
  BlobOpener body = {};
  std::optional<std::uint64_t> body_size = 0;  // nullopt: until its end
  ByteSink* sink = nullptr;                    // for a 2xx body; only without `retry`
  std::function<void(const net::HttpResponse&)> on_head = {};
  std::size_t document_limit = 0;  // without a sink: how long a 2xx body may be, when more than the transport's 1 MiB
  Scopes scopes = {};
  bool retry = true;  // the request may be sent again after a broken connection, 429 or 5xx
  std::optional<std::chrono::milliseconds> total_timeout = std::nullopt;
};

// Runs `work`; an Error that leaves it says what was being done.
template <typename Work>
auto in_phase(const std::string& phase, Work&& work) {
  try {
    return work();
  } catch (Error& error) {
    error.add_context(phase);
    throw;
  }
}

// Requests to one repository, with authentication, redirects and retries. Thread-safe.
class RegistrySession {
 public:
  // Of the registry itself, never of a mirror.
  RegistrySession(ClientState& state, const std::string& registry, std::string repository);
  RegistrySession(ClientState& state, const RegistryPlace& place);

  // For a host that may be plain http this can change with the first request.
  const Endpoint& endpoint() const { return is_plain() ? plain_endpoint_ : endpoint_; }
  const std::string& repository() const { return repository_; }
  std::string name() const { return endpoint_.registry + "/" + repository_; }
  ClientState& state() const { return state_; }

  // "/v2/<repository><tail>" on the registry; a mirror may have its API elsewhere.
  net::Url url(std::string_view tail) const;

  // Any status is a value. A 401 is answered with credentials, once; the body is opened again for every sending.
  net::HttpResponse send(const RegistryRequest& request, const std::stop_token& stop) const;

  // For a question whose answer only saves work: a registry that does not say is nullopt, and so is one that can't be
  // reached. Waits on 429 alone.
  std::optional<net::HttpResponse> ask(RegistryRequest request, const std::stop_token& stop) const;

  // Throws what an unexpected answer means.
  [[noreturn]] void fail(const net::HttpResponse& response) const;

 private:
  bool is_plain() const { return http_allowed_ && state_.schemes.is_plain(endpoint_); }
  // The request as the host takes it, once it is known whether that is https.
  RegistryRequest settled(RegistryRequest request, const std::stop_token& stop) const;
  net::HttpResponse send_authorized(const RegistryRequest& given, const std::stop_token& stop) const;
  net::HttpResponse send_once(const RegistryRequest& request, const std::optional<Secret>& authorization,
                              const std::stop_token& stop) const;

  ClientState& state_;
  Endpoint endpoint_;
  Endpoint plain_endpoint_;  // the same in http
  bool http_allowed_ = false;
  std::string api_path_ = "/v2";
  std::string repository_;
  std::string name_space_;
  std::vector<net::Header> headers_;
  std::shared_ptr<const net::TlsSettings> tls_;
};

}  // namespace tektii::registry
