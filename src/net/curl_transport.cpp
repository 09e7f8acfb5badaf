#include "net/curl_session.hpp"
#include "net/curl_transfer.hpp"
#include <tektii/net/http.hpp>
#include <tektii/net/url.hpp>

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace tektii::net {

namespace {

class CurlTransport : public HttpTransport {
 public:
  CurlTransport(std::string user_agent, TlsLookup tls_for)
      : user_agent_(std::move(user_agent)), tls_for_(std::move(tls_for)) {}

  HttpResponse send(const HttpRequest& request, ByteSink* sink, std::stop_token stop) override {
    const auto start = std::chrono::steady_clock::now();
    const Url url = Url::parse(request.url);
    auto session = pool_.acquire(url.origin());
    auto tls = request.tls;
    if (!tls && tls_for_) tls = tls_for_(url);
    HttpResponse response;
    try {
      response = CurlTransfer(*session, request, sink, {user_agent_, tls.get()}).run(stop);
    } catch (const std::exception& error) {
      spdlog::debug("{} {}: {}", request.method, redact_url(request.url), error.what());
      throw;  // the session goes with its broken connection
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    spdlog::debug("{} {}: {} in {} ms", request.method, redact_url(request.url), response.status, took.count());
    pool_.release(std::move(session));
    return response;
  }

 private:
  const std::string user_agent_;
  const TlsLookup tls_for_;
  CurlSessionPool pool_;
};

}  // namespace

std::unique_ptr<HttpTransport> make_curl_transport(const std::string& user_agent, TlsLookup tls_for) {
  return std::make_unique<CurlTransport>(user_agent, std::move(tls_for));
}

}  // namespace tektii::net
