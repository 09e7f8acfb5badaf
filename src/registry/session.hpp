#pragma once

#include "registry/attempts.hpp"
#include "registry/authenticator.hpp"
#include "registry/chunk_sizes.hpp"
#include "registry/endpoint.hpp"
#include "registry/known_blobs.hpp"
#include "registry/warning_log.hpp"
#include <tektii/net/http.hpp>
#include <tektii/net/retry.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/single_flight.hpp>

#include <chrono>
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
  RegistrySession(ClientState& state, const std::string& registry, std::string repository);

  const Endpoint& endpoint() const { return endpoint_; }
  const std::string& repository() const { return repository_; }
  std::string name() const { return endpoint_.registry + "/" + repository_; }
  ClientState& state() const { return state_; }

  // "/v2/<repository><tail>" on the registry.
  net::Url url(std::string_view tail) const { return endpoint_.url("/v2/" + repository_ + std::string(tail)); }

  // Any status is a value. A 401 is answered with credentials, once; the body is opened again for every sending.
  net::HttpResponse send(const RegistryRequest& request, const std::stop_token& stop) const;

  // For a question whose answer only saves work: a registry that does not say is nullopt, and so is one that can't be
  // reached. Waits on 429 alone.
  std::optional<net::HttpResponse> ask(RegistryRequest request, const std::stop_token& stop) const;

  // Throws what an unexpected answer means.
  [[noreturn]] void fail(const net::HttpResponse& response) const;

 private:
  net::HttpResponse send_authorized(const RegistryRequest& request, const std::stop_token& stop) const;
  net::HttpResponse send_once(const RegistryRequest& request, const std::optional<Secret>& authorization,
                              const std::stop_token& stop) const;

  ClientState& state_;
  Endpoint endpoint_;
  std::string repository_;
};

}  // namespace tektii::registry
