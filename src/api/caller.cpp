#include "api/caller.hpp"

#include "api/api_error.hpp"
#include "api/retry.hpp"
#include <tektii/api/api_key.hpp>
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tektii::api {

namespace {

// Far above any real answer; keeps a server from filling the memory.
constexpr std::size_t k_body_limit = 64U << 20;

// Everything before an '@' may be a user and a password, also in a URL that can't be parsed.
std::string without_userinfo(std::string url) {
  if (const std::size_t at = url.rfind('@'); at != std::string::npos) {
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme < at ? scheme + 3 : 0;
    url.replace(begin, at - begin, "...");
  }
  return net::redact_url(url);
}

std::string checked_base_url(std::string url) {
  url = trim(url);
  const bool scheme = url.starts_with("https://") || url.starts_with("http://");
  const std::size_t host = url.find("://") + 3;
  const bool clean =
      std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  if (!scheme || !clean || host >= url.size() || url.find_first_of("?#@") != std::string::npos) {
    Error error(ErrorKind::usage, fmt::format("\"{}\" is not the URL of an API", without_userinfo(url)));
    if (url.find('@') != std::string::npos)
      error.add_hint("the URL takes no user or password, only the API key is sent");
    throw error.add_hint("it looks like https://api.tektii.com and is set with --api-url or TEKTII_API_URL");
  }
  const auto drop_slashes = [&url] { url.erase(url.find_last_not_of('/') + 1); };
  drop_slashes();
  if (url.ends_with("/v1")) url.erase(url.size() - 3);
  drop_slashes();
  return url;
}

Secret checked_key(Secret key) {
  check_api_key(key.reveal());
  return key;
}

std::int64_t unix_seconds(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
}

}  // namespace

Caller::Caller(ClientOptions options, ClientDeps deps)
    : base_url_(checked_base_url(std::move(options.base_url))),
      api_key_(options.anonymous ? Secret() : checked_key(std::move(options.api_key))),
      deps_(deps) {}

// Which of the two headers the platform reads is not public: its older client sent X-API-Key for versions and a bearer
// token for backtests.
net::HttpRequest Caller::request_to(std::string_view method, const std::string& target, const std::string& body) const {
  net::HttpRequest request;
  request.method = method;
  request.url = base_url_ + target;
  request.headers.push_back({"Accept", "application/json"});
  if (!api_key_.empty()) {
    request.headers.push_back({"X-API-Key", api_key_.reveal()});
    request.authorization = Secret("Bearer " + api_key_.reveal());
  }
  if (!body.empty() || request.method == "POST") {
    // A POST without content still gets a JSON body: some gateways want a Content-Length.
    const std::string text = body.empty() ? "{}" : body;
    request.headers.push_back({"Content-Type", "application/json"});
    request.body_size = text.size();
    request.body = [text] { return std::make_unique<StringSource>(text); };
  }
  return request;
}

net::HttpRequest Caller::request_of(const Call& call) const {
  return request_to(row_of(call.endpoint).method, target_of(call.endpoint, call.parameters, call.query), call.body);
}

net::HttpResponse Caller::stream_once(const Call& call, const std::vector<net::Header>& headers, ByteSink& sink,
                                      std::function<void(const net::HttpResponse&)> on_head,
                                      const std::stop_token& stop) {
  net::HttpRequest request = request_of(call);
  request.headers.insert(request.headers.end(), headers.begin(), headers.end());
  request.on_head = std::move(on_head);
  net::HttpResponse response = deps_.transport.send(request, &sink, stop);
  spdlog::debug("{} {} -> {}", request.method, request.url, response.status);
  response.url = request.url;
  return response;
}

Decision Caller::judge(const net::HttpResponse& response, bool idempotent, int attempt) const {
  const auto asked = parse_retry_after(response.header("Retry-After"), unix_seconds(deps_.clock));
  return decide(response.status, asked, idempotent, attempt);
}

net::HttpResponse Caller::send_once(const net::HttpRequest& request, const std::stop_token& stop) {
  StringSink sink(k_body_limit);
  net::HttpResponse response = deps_.transport.send(request, &sink, stop);
  if (response.status >= 200 && response.status < 300 && response.body.empty()) response.body = sink.take();
  response.url = request.url;
  return response;
}

void Caller::wait(std::chrono::milliseconds duration, const std::stop_token& stop) {
  if (!deps_.clock.sleep_for(duration, stop)) throw Error(ErrorKind::interrupted, "interrupted");
}

net::HttpResponse Caller::exchange(const Call& call, const std::stop_token& stop) {
  return exchange(request_of(call), row_of(call.endpoint).idempotent, stop);
}

net::HttpResponse Caller::exchange(const net::HttpRequest& request, bool idempotent, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    throw_if_stopped(stop);
    Decision decision;
    try {
      net::HttpResponse response = send_once(request, stop);
      spdlog::debug("{} {} -> {}", request.method, request.url, response.status);
      decision = judge(response, idempotent, attempt);
      if (decision.verdict != Verdict::retry) return response;
    } catch (net::TransportError& error) {
      decision = decide_broken(error.connected(), idempotent, attempt);
      if (decision.verdict != Verdict::retry) {
        error.add_context(fmt::format("{} {}", request.method, request.url));
        if (error.connected() && !idempotent) {
          error.add_hint("the request may have been carried out: list before you try again");
        }
        throw;
      }
      spdlog::debug("{} {}: {}", request.method, request.url, escape_control(error.what()));
    }
    spdlog::info("trying {} {} again in {}", request.method, request.url, format_duration(decision.wait.count()));
    wait(decision.wait, stop);
  }
}

Error Caller::error_for(const Call& call, const net::HttpResponse& response) const {
  return error_of(response,
                  {subject_of(call.endpoint, call.parameters), api_key_.reveal(), row_of(call.endpoint).idempotent});
}

std::string Caller::send(const Call& call, const std::stop_token& stop) {
  net::HttpResponse response = exchange(call, stop);
  if (response.status < 200 || response.status >= 300) throw error_for(call, response);
  return std::move(response.body);
}

bool Caller::send_if_known(const Call& call, const std::stop_token& stop) {
  const net::HttpResponse response = exchange(call, stop);
  if (response.status == 404 || response.status == 405) return false;
  if (response.status < 200 || response.status >= 300) throw error_for(call, response);
  return true;
}

std::string Caller::send_raw(const RawCall& call, const std::stop_token& stop) {
  const bool clean = std::none_of(call.path.begin(), call.path.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#';
  });
  if (!call.path.starts_with('/') || call.path.starts_with("//") || !clean) {
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is not the path of a call", escape_control(call.path)))
        .add_hint("it looks like /v1/strategies; what is no letter of a URL is percent-encoded");
  }
  const bool idempotent = call.method == "GET" || call.method == "HEAD";
  net::HttpResponse response = exchange(request_to(call.method, call.path, call.body), idempotent, stop);
  if (response.status < 200 || response.status >= 300) {
    throw error_of(response, {call.method + " " + call.path, api_key_.reveal(), idempotent});
  }
  return std::move(response.body);
}

}  // namespace tektii::api
