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

bool has_identity_token(const TokenRequest& request) {
  return request.credentials && !request.credentials->identity_token.empty();
}

// Who a GET says that we are. An identity token is a password there, for instance at ACR.
std::optional<Credentials> basic_credentials(const TokenRequest& request) {
  if (!request.credentials) return std::nullopt;
  Credentials basic = *request.credentials;
  if (basic.password.empty()) basic.password = basic.identity_token;
  if (basic.username.empty() && basic.password.empty()) return std::nullopt;
  return basic;
}

net::HttpRequest get_request(const TokenRequest& request, const net::Url& realm) {
  net::Url url = realm;
  if (!request.service.empty()) url = net::with_query(url, "service", request.service);
  for (const std::string& scope : request.scopes) url = net::with_query(url, "scope", scope);
  net::HttpRequest http;
  if (const auto basic = basic_credentials(request)) {
    if (!basic->username.empty()) url = net::with_query(url, "account", basic->username);
    http.authorization = basic_authorization(*basic);
  }
  http.url = url.str();
  return http;
}

net::HttpRequest post_request(const TokenRequest& request, const net::Url& realm) {
  const auto field = [](std::string_view name, const std::string& value) {
    return fmt::format("&{}={}", name, net::percent_encode(value));
  };
  std::string form = has_identity_token(request) ? "grant_type=refresh_token" : "grant_type=password";
  form += field("service", request.service) + field("client_id", k_client_id);
  if (!request.scopes.empty()) form += field("scope", join(request.scopes, " "));
  if (has_identity_token(request)) {
    form += field("refresh_token", request.credentials->identity_token.reveal());
  } else {
    form += field("username", request.credentials->username);
    form += field("password", request.credentials->password.reveal());
  }
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
  const std::string origin = net::Url::parse(http.url).origin();
  const auto check_hop = [&](const net::Url& url) {
    check_handed_out_url(request.endpoint, url, "redirect of the token server");
    // The Authorization stays behind by itself, what is in a body does not.
    if (!http.body || url.origin() == origin) return;
    throw Error(ErrorKind::network,
                fmt::format("the token server redirects to {}, which must not see the credentials", url.host_port()));
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

bool looks_like_html(const net::HttpResponse& response) {
  const std::string type = to_lower(response.header("Content-Type").value_or(""));
  return type.starts_with("text/html") || trim(response.body).starts_with("<");
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

// The realm of a challenge as a URL that we are ready to send credentials to.
net::Url checked_realm(const TokenRequest& request) {
  net::Url realm;
  try {
    realm = net::Url::parse(request.realm);
  } catch (const Error& error) {
    throw Error(ErrorKind::network, fmt::format("the token server that {} names is refused: {}",
                                                request.endpoint.registry, error.message()));
  }
  check_handed_out_url(request.endpoint, realm, "token server");
  return realm;
}

bool wants_other_method(bool posted, int status) {
  if (status == 404 || status == 405) return true;
  return posted && (status == 400 || status == 401);
}

net::HttpResponse ask_either_way(const TokenDeps& deps, const TokenRequest& request, const net::Url& realm,
                                 const std::stop_token& stop) {
  const bool posts = has_identity_token(request);
  net::HttpResponse first =
      ask(deps, request, posts ? post_request(request, realm) : get_request(request, realm), stop);
  const bool has_password = request.credentials && !request.credentials->password.empty();
  if (!wants_other_method(posts, first.status) || (!posts && !has_password)) return first;
  net::HttpResponse second =
      ask(deps, request, posts ? get_request(request, realm) : post_request(request, realm), stop);
  // A server that knows the first way says more there: why it refuses the token.
  const bool second_is_unknown = second.status == 404 || second.status == 405;
  return second_is_unknown ? first : second;
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
  token.life = std::chrono::seconds(life);
  token.expires = now + token.life;
  if (const auto member = answer.find("refresh_token"); member != answer.end() && member->is_string()) {
    token.refresh_token = Secret(member->get<std::string>());
  }
  return token;
}

Token fetch_token(const TokenDeps& deps, const TokenRequest& request, const std::stop_token& stop) {
  const net::Url realm = checked_realm(request);
  try {
    const auto now = deps.clock.now();
    const net::HttpResponse response = ask_either_way(deps, request, realm, stop);
    if (response.status < 200 || response.status >= 300) throw_refusal(request, response);
    if (looks_like_html(response)) {
      throw Error(ErrorKind::network, "the token server answered with a web page instead of a token")
          .add_hint(fmt::format("a proxy or a sign-in page may stand in front of {}", realm.host_port()));
    }
    return parse_token(response.body, now);
  } catch (Error& error) {
    error.add_context(fmt::format("token from {}", net::redact_url(realm.str())));
    throw;
  }
}

}  // namespace tektii::registry
