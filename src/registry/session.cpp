#include "registry/session.hpp"

#include "registry/error_report.hpp"
#include "registry/tls_hints.hpp"
#include <tektii/net/redirect.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace tektii::registry {

namespace {

// The pauses grow further than those of a run without a budget: what is left of it is spent on few requests.
constexpr std::chrono::seconds k_longest_pause(30);

net::RetryPolicy patient(net::RetryPolicy policy) {
  policy.attempts = 0;
  policy.max_delay = k_longest_pause;
  return policy;
}

RegistryPlace default_place(const std::string& registry, const std::string& repository) {
  RegistryPlace place{registry, repository, endpoint_for(registry).base};
  place.base.path = "/v2";
  return place;
}

net::Url origin_of(net::Url url) {
  url.path.clear();
  return url;
}

}  // namespace

ClientState::ClientState(const RegistryDeps& deps, Clock& used_clock)
    : transport(deps.transport),
      clock(used_clock),
      retry(used_clock, patient(deps.retry), deps.transfer.retry_timeout, deps.on_wait),
      authenticator({deps.transport, used_clock, deps.retry}, deps.credentials),
      transfer(deps.transfer),
      chunk_sizes(deps.transfer.push_chunk_size),
      warnings(deps.on_warning),
      documents(deps.documents),
      hosts(deps.hosts) {}

RegistrySession::RegistrySession(ClientState& state, const std::string& registry, std::string repository)
    : RegistrySession(state, state.hosts != nullptr ? state.hosts->push_place(registry, repository)
                                                    : default_place(registry, repository)) {}

RegistrySession::RegistrySession(ClientState& state, const RegistryPlace& place)
    : state_(state),
      endpoint_{place.registry, origin_of(place.base)},
      plain_endpoint_(endpoint_),
      http_allowed_(place.http_allowed && place.base.scheme == "https"),
      api_path_(place.base.path),
      repository_(place.repository),
      name_space_(place.name_space),
      headers_(place.headers),
      tls_(place.tls) {
  plain_endpoint_.base.scheme = "http";
}

net::Url RegistrySession::url(std::string_view tail) const {
  auto url = endpoint().url(fmt::format("{}/{}{}", api_path_, repository_, tail));
  return name_space_.empty() ? url : net::with_query(std::move(url), "ns", name_space_);
}

net::HttpResponse RegistrySession::send(const RegistryRequest& request, const std::stop_token& stop) const {
  Attempts attempts(state_.retry, endpoint_.registry);
  while (true) {
    try {
      net::HttpResponse response = send_authorized(request, stop);
      if (request.retry && attempts.again(response, stop)) continue;
      attempts.note(response);
      return response;
    } catch (net::TransportError& error) {
      if (request.retry && attempts.again(error, stop)) continue;
      attempts.explain(error);
      throw;
    }
  }
}

std::optional<net::HttpResponse> RegistrySession::ask(RegistryRequest request, const std::stop_token& stop) const {
  request.retry = false;
  Attempts attempts(state_.retry, endpoint_.registry);
  try {
    while (true) {
      net::HttpResponse response = send(request, stop);
      if (response.status != 429 || !attempts.again(response, stop)) return response;
    }
  } catch (const net::TransportError& error) {
    // A token that is refused would be refused to the next request too, and a wrong password must not be tried again.
    spdlog::debug("{} {}: {}", request.method, net::redact_url(request.url.str()), error.what());
    return std::nullopt;
  }
}

RegistryRequest RegistrySession::settled(RegistryRequest request, const std::stop_token& stop) const {
  if (!http_allowed_) return request;
  state_.schemes.settle(endpoint_, tls_, state_.transport, stop);
  if (is_plain() && request.url.origin() == endpoint_.base.origin()) request.url.scheme = "http";
  return request;
}

net::HttpResponse RegistrySession::send_authorized(const RegistryRequest& given, const std::stop_token& stop) const {
  const RegistryRequest request = settled(given, stop);
  const Endpoint& endpoint = this->endpoint();
  // An upload may go to another host than the registry's; that one gets no credentials.
  const bool own_host = request.url.origin() == endpoint.base.origin();
  if (!own_host) return send_once(request, std::nullopt, stop);
  const AuthSubject subject{endpoint, repository_, request.scopes, request.body_size.value_or(0)};
  auto authorization = state_.authenticator.authorization(subject, stop);
  net::HttpResponse response = send_once(request, authorization, stop);
  const bool refused = response.status == 401 || response.status == 403;
  const bool asked_by_registry = refused && net::Url::parse(response.url).origin() == endpoint.base.origin();
  if (!asked_by_registry || !state_.authenticator.handle_refusal(subject, response, authorization, stop)) {
    return response;
  }
  authorization = state_.authenticator.authorization(subject, stop);
  return send_once(request, authorization, stop);
}

net::HttpResponse RegistrySession::send_once(const RegistryRequest& request, const std::optional<Secret>& authorization,
                                             const std::stop_token& stop) const {
  net::HttpRequest http;
  http.method = request.method;
  http.url = request.url.str();
  http.headers = request.headers;
  http.authorization = authorization;
  http.body = request.body;
  http.body_size = request.body_size;
  http.on_head = request.on_head;
  if (request.url.origin() == endpoint().base.origin()) {
    http.origin_headers = headers_;
    http.tls = tls_;
  }
  http.stall_timeout = state_.transfer.stall_timeout;
  http.answer_timeout = 5 * state_.transfer.stall_timeout;
  if (request.total_timeout) {
    http.total_timeout = request.total_timeout;
    http.connect_timeout = *request.total_timeout;
  }
  std::optional<StringSink> document;
  if (request.document_limit > 0) document.emplace(request.document_limit);
  ByteSink* sink = document ? &*document : request.sink;
  // Content leaves this machine for the redirect's target: hold it against the rules for handed-out URLs. What is
  // fetched is verified by its digest, so there it is enough that credentials stay behind.
  const auto check_hop = [&](const net::Url& url) {
    if (request.body) check_handed_out_url(endpoint(), url, "redirect");
  };
  net::HttpResponse response;
  try {
    response = net::send_with_redirects(state_.transport, http, sink, stop, check_hop);
  } catch (net::TransportError& error) {
    add_tls_hints(error, net::Url::parse(http.url));
    throw;
  }
  state_.retry.note_answer(endpoint_.registry);
  state_.warnings.take(endpoint_.registry, response);
  if (document && response.status >= 200 && response.status < 300) response.body = document->take();
  return response;
}

void RegistrySession::fail(const net::HttpResponse& response) const {
  throw make_answer_error(endpoint_.registry, state_.authenticator.known_user(endpoint_, repository_), response);
}

}  // namespace tektii::registry
