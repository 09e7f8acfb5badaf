#include "net/proxy.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace tektii::net {

namespace {

constexpr std::array k_schemes = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};

std::string without_brackets(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::string(host);
}

// The bytes of an address, an IPv4 address as the IPv6 address that it is mapped to; nullopt for a name.
std::optional<std::array<std::uint8_t, 16>> address_of(std::string_view host) {
  const std::string text = without_brackets(host);
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, text.c_str(), &mapped[12]) == 1) return mapped;
  return std::nullopt;
}

bool is_in_network(const std::array<std::uint8_t, 16>& address, std::string_view network, std::string_view prefix) {
  const auto base = address_of(network);
  const auto bits = parse_int(prefix);
  if (!base || !bits) return false;
  const bool is_v4 = network.find(':') == std::string_view::npos;
  const std::int64_t count = *bits + (is_v4 ? 96 : 0);
  if (*bits < 0 || count > 128) return false;
  for (std::int64_t bit = 0; bit < count; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    const auto byte = static_cast<std::size_t>(bit / 8);
    if (((address[byte] ^ (*base)[byte]) & mask) != 0) return false;
  }
  return true;
}

// "host:port" or "[address]:port" apart; a bare IPv6 address has no port.
std::pair<std::string, std::string> split_port(const std::string& entry) {
  if (entry.starts_with('[')) {
    const auto close = entry.find(']');
    if (close == std::string::npos) return {entry, ""};
    const auto rest = entry.substr(close + 1);
    return {entry.substr(0, close + 1), rest.starts_with(':') ? rest.substr(1) : ""};
  }
  if (std::count(entry.begin(), entry.end(), ':') != 1) return {entry, ""};
  const auto colon = entry.find(':');
  return {entry.substr(0, colon), entry.substr(colon + 1)};
}

bool entry_matches(std::string entry, const std::string& host, const Url& url) {
  if (entry == "*") return true;
  const auto address = address_of(host);
  if (const auto slash = entry.find('/'); slash != std::string::npos) {
    return address && is_in_network(*address, without_brackets(entry.substr(0, slash)), entry.substr(slash + 1));
  }
  auto [name, port] = split_port(entry);
  if (!port.empty() && parse_int(port) != url.effective_port()) return false;
  if (const auto listed = address_of(name)) return address == listed;
  if (address) return false;
  if (name.starts_with('*')) name.erase(0, 1);
  if (name.starts_with('.')) name.erase(0, 1);
  if (name.ends_with('.')) name.pop_back();
  return !name.empty() && (host == name || host.ends_with("." + name));
}

std::optional<Proxy> first_of(std::initializer_list<const char*> names, const EnvLookup& env) {
  for (const char* name : names) {
    if (auto value = env(name)) return Proxy{std::string(trim(*value)), name};
  }
  return std::nullopt;
}

std::optional<Proxy> configured(const Url& url, const EnvLookup& env) {
  std::optional<Proxy> proxy;
  if (url.scheme == "https") {
    proxy = first_of({"https_proxy", "HTTPS_PROXY"}, env);
  } else {
    proxy = first_of({"http_proxy"}, env);
    if (!proxy && !env("REQUEST_METHOD")) proxy = first_of({"HTTP_PROXY"}, env);
  }
  return proxy ? proxy : first_of({"all_proxy", "ALL_PROXY"}, env);
}

void check(const Proxy& proxy) {
  const auto separator = proxy.url.find("://");
  if (separator == std::string::npos) return;
  const auto scheme = to_lower(proxy.url.substr(0, separator));
  if (std::find(k_schemes.begin(), k_schemes.end(), scheme) != k_schemes.end()) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} names a proxy of the unknown kind \"{}\"", proxy.variable, escape_control(scheme)))
      .add_hint("proxies are http://, https://, socks4://, socks4a://, socks5:// or socks5h://");
}

}  // namespace

std::string Proxy::shown() const {
  const std::string full = url.find("://") == std::string::npos ? "http://" + url : url;
  return fmt::format("{} ({})", escape_control(redact_url(full)), variable);
}

bool is_excluded(const Url& url, const std::string& no_proxy) {
  std::string host = url.host;
  if (host.ends_with('.')) host.pop_back();
  std::string list = to_lower(no_proxy);
  std::replace_if(
      list.begin(), list.end(), [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }, ',');
  const auto entries = split(list, ',');
  return std::any_of(entries.begin(), entries.end(),
                     [&](const std::string& entry) { return !entry.empty() && entry_matches(entry, host, url); });
}

std::optional<Proxy> proxy_for(const Url& url, const EnvLookup& env) {
  if (is_loopback_host(url.host)) return std::nullopt;
  auto proxy = configured(url, env);
  if (!proxy || proxy->url.empty()) return std::nullopt;
  const auto excluded = first_of({"no_proxy", "NO_PROXY"}, env);
  if (excluded && is_excluded(url, excluded->url)) return std::nullopt;
  check(*proxy);
  return proxy;
}

}  // namespace tektii::net
