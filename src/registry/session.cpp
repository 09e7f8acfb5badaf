#include "registry/session.hpp"

#include "registry/error_report.hpp"
#include <tektii/net/redirect.hpp>

namespace tektii::registry {

RegistrySession::RegistrySession(ClientState& state, const std::string& registry, std::string repository)
    : state_(state), endpoint_(endpoint_for(registry)), repository_(std::move(repository)) {}

net::HttpResponse RegistrySession::send(const RegistryRequest& request, const std::stop_token& stop) const {
  net::Backoff backoff(state_.retry, state_.clock);
  while (true) {
    try {
      net::HttpResponse response = send_authorized(request, stop);
      const bool again = request.retry &&
                         net::classify(response.status, response.body) == net::StatusClass::retry_after &&
                         backoff.next_attempt(stop, net::retry_after(response));
      if (!again) return response;
    } catch (const net::TransportError&) {
      if (!request.retry || !backoff.next_attempt(stop)) throw;
    }
  }
}

net::HttpResponse RegistrySession::send_authorized(const RegistryRequest& request, const std::stop_token& stop) const {
  // An upload may go to another host than the registry's; that one gets no credentials.
  const bool own_host = request.url.origin() == endpoint_.base.origin();
  if (!own_host) return send_once(request, std::nullopt, stop);
  const AuthSubject subject{endpoint_, repository_, request.scopes, request.body_size.value_or(0)};
  auto authorization = state_.authenticator.authorization(subject, stop);
  net::HttpResponse response = send_once(request, authorization, stop);
  const bool refused = response.status == 401 || response.status == 403;
  const bool asked_by_registry = refused && net::Url::parse(response.url).origin() == endpoint_.base.origin();
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
  std::optional<StringSink> document;
  if (request.document_limit > 0) document.emplace(request.document_limit);
  ByteSink* sink = document ? &*document : request.sink;
  // Content leaves this machine for the redirect's target: hold it against the rules for handed-out URLs. What is
  // fetched is verified by its digest, so there it is enough that credentials stay behind.
  const auto check_hop = [&](const net::Url& url) {
    if (request.body) check_handed_out_url(endpoint_, url, "redirect");
  };
  net::HttpResponse response = net::send_with_redirects(state_.transport, http, sink, stop, check_hop);
  if (document && response.status >= 200 && response.status < 300) response.body = document->take();
  return response;
}

void RegistrySession::fail(const net::HttpResponse& response) const {
  throw make_answer_error(endpoint_.registry, state_.authenticator.known_user(endpoint_, repository_), response);
}

}  // namespace tektii::registry
