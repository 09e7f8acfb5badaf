#include "registry/scheme_book.hpp"

#include "registry/tls_hints.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

namespace tektii::registry {

namespace {

constexpr std::chrono::seconds k_patience(10);

net::HttpRequest probe(const Endpoint& endpoint, const char* scheme) {
  net::Url url = endpoint.url("/v2/");
  url.scheme = scheme;
  net::HttpRequest request;
  request.url = url.str();
  request.connect_timeout = request.stall_timeout = k_patience;
  return request;
}

bool answers_in_http(const Endpoint& endpoint, net::HttpTransport& transport, const std::stop_token& stop) {
  try {
    transport.send(probe(endpoint, "http"), nullptr, stop);
    return true;
  } catch (const net::TransportError& error) {
    spdlog::debug("{}", error.what());
    return false;
  }
}

}  // namespace

std::optional<bool> SchemeBook::known(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = plain_.find(host);
  return found == plain_.end() ? std::nullopt : std::optional(found->second);
}

bool SchemeBook::is_plain(const Endpoint& https) const {
  return known(https.base.host_port()).value_or(false);
}

void SchemeBook::settle(const Endpoint& https, const std::shared_ptr<const net::TlsSettings>& tls,
                        net::HttpTransport& transport, const std::stop_token& stop) {
  const auto host = https.base.host_port();
  if (known(host)) return;
  probes_.run(host, stop, [&] {
    if (const auto plain = known(host)) return *plain;
    auto request = probe(https, "https");
    request.tls = tls;
    bool plain = false;
    try {
      transport.send(request, nullptr, stop);
    } catch (net::TransportError& error) {
      plain = answers_in_http(https, transport, stop);
      if (!plain) {
        add_tls_hints(error, https.base);
        throw;
      }
      spdlog::info("{} is spoken to in plain http: {}", host, error.what());
    }
    const std::lock_guard lock(mutex_);
    return plain_[host] = plain;
  });
}

}  // namespace tektii::registry
