#include "registry/token.hpp"

#include "registry/error_report.hpp"
#include <tektii/net/redirect.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::registry {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t k_least_life_seconds = 60;
constexpr std::int64_t k_longest_life_seconds = 86400;
constexpr const char* k_client_id = "tektii";

net::HttpRequest get_request(const TokenRequest& request, const net::Url& realm) {
  net::Url url = realm;
  if (!request.service.empty()) url = net::with_query(url, "service", request.service);
  for (const std::string& scope : request.scopes) url = net::with_query(url, "scope", scope);
  net::HttpRequest http;
  if (request.credentials && !request.credentials->username.empty()) {
    url = net::with_query(url, "account", request.credentials->username);
    http.authorization = basic_authorization(*request.credentials);
  }
  http.url = url.str();
  return http;
}

net::HttpRequest refresh_request(const TokenRequest& request, const net::Url& realm) {
  const auto field = [](std::string_view name, const std::string& value) {
    return fmt::format("&{}={}", name, net::percent_encode(value));
  };
  std::string form = "grant_type=refresh_token" + field("service", request.service) + field("client_id", k_client_id) +
                     field("scope", join(request.scopes, " ")) +
                     field("refresh_token", request.credentials->identity_token.reveal());
  net::HttpRequest http;
  http.method = "POST";
  http.url = realm.str();
  http.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  http.body_size = form.size();
  http.body = [form = Secret(std::move(form))] { return std::make_unique<StringSource>(form.reveal()); };
  return http;
}

net::HttpResponse ask(const TokenDeps& deps, const TokenRequest& request, const net::HttpRequest& http,
                      const std::stop_token& stop) {
  const auto check_hop = [&](const net::Url& url) {
    check_handed_out_url(request.endpoint, url, "redirect of the token server");
  };
  net::Backoff backoff(deps.retry, deps.clock);
  while (true) {
    try {
      net::HttpResponse response = net::send_with_redirects(deps.transport, http, nullptr, stop, check_hop);
      if (net::classify(response.status, response.body) != net::StatusClass::retry_after) return response;
      if (!backoff.next_attempt(stop, net::retry_after(response))) return response;
    } catch (const net::TransportError&) {
      if (!backoff.next_attempt(stop)) throw;
    }
  }
}

[[noreturn]] void throw_refusal(const TokenRequest& request, const net::HttpResponse& response) {
  const bool denied = response.status == 401 || response.status == 403;
  Error error(denied ? ErrorKind::denied : ErrorKind::network,
              fmt::format("the token server answered {}", describe_answer(response)));
  if (denied) {
    const auto user = request.credentials ? std::optional<std::string>(request.credentials->username) : std::nullopt;
    error.add_hint(login_hint(request.endpoint.registry, user));
  }
  throw error;
}

}  // namespace

Secret basic_authorization(const Credentials& credentials) {
  const Secret pair(credentials.username + ":" + credentials.password.reveal());
  return Secret("Basic " + base64_encode(pair.reveal()));
}

Token parse_token(std::string_view json, std::chrono::system_clock::time_point now) {
  const Json answer = Json::parse(json, nullptr, false);
  if (!answer.is_object()) throw Error(ErrorKind::network, "the token server's answer is not a JSON object");
  Token token;
  for (const char* name : {"token", "access_token"}) {
    const auto member = answer.find(name);
    if (member != answer.end() && member->is_string() && token.value.empty()) {
      token.value = Secret(member->get<std::string>());
    }
  }
  const std::string& text = token.value.reveal();
  if (text.empty()) throw Error(ErrorKind::network, "the token server's answer has no token");
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable) throw Error(ErrorKind::network, "the token server's token contains control characters");
  std::int64_t life = k_least_life_seconds;
  if (const auto member = answer.find("expires_in"); member != answer.end() && member->is_number()) {
    const double seconds = member->get<double>();
    life = static_cast<std::int64_t>(std::clamp(seconds, double{k_least_life_seconds}, double{k_longest_life_seconds}));
  }
  token.expires = now + std::chrono::seconds(life);
  return token;
}

Token fetch_token(const TokenDeps& deps, const TokenRequest& request, const std::stop_token& stop) {
  const net::Url realm = net::Url::parse(request.realm);
  check_handed_out_url(request.endpoint, realm, "token server");
  try {
    const bool refreshes = request.credentials && !request.credentials->identity_token.empty();
    const auto http = refreshes ? refresh_request(request, realm) : get_request(request, realm);
    const auto now = deps.clock.now();
    const net::HttpResponse response = ask(deps, request, http, stop);
    if (response.status < 200 || response.status >= 300) throw_refusal(request, response);
    return parse_token(response.body, now);
  } catch (Error& error) {
    error.add_context(fmt::format("token from {}", net::redact_url(realm.str())));
    throw;
  }
}

}  // namespace tektii::registry
