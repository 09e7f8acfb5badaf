#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::net {

namespace {

[[noreturn]] void invalid(std::string_view text, std::string_view why) {
  throw Error(ErrorKind::failure, fmt::format("invalid URL '{}': {}", redact_url(escape_control(text)), why));
}

void check_characters(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) invalid(text, "it contains white space or a control character");
    // Parsers disagree on whether a backslash ends the host.
    if (c == '\\') invalid(text, "it contains a backslash");
  }
}

std::optional<std::uint16_t> parse_port(std::string_view whole, std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  const bool all_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto value = all_digits ? parse_int(digits) : std::nullopt;
  if (!value || *value < 1 || *value > 65535) invalid(whole, "the port is not a number from 1 to 65535");
  return static_cast<std::uint16_t>(*value);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

void parse_authority(Url& url, std::string_view whole, std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    url.userinfo = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  std::string_view rest;
  if (!authority.empty() && authority.front() == '[') {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) invalid(whole, "the IPv6 address has no ']'");
    url.host = to_lower(authority.substr(0, close + 1));
    rest = authority.substr(close + 1);
    const std::string_view inner = std::string_view(url.host).substr(1, url.host.size() - 2);
    if (inner.find_first_not_of("0123456789abcdef:.") != std::string_view::npos) {
      invalid(whole, "the IPv6 address is malformed");
    }
  } else {
    const auto colon = authority.find(':');
    url.host = to_lower(authority.substr(0, colon));
    rest = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    if (!std::all_of(url.host.begin(), url.host.end(), is_host_character)) invalid(whole, "the host is malformed");
  }
  if (url.host.empty() || url.host == "[]") invalid(whole, "it has no host");
  if (!rest.empty() && rest.front() != ':') invalid(whole, "the host is malformed");
  if (!rest.empty()) url.port = parse_port(whole, rest.substr(1));
}

// Splits "path?query#fragment".
void parse_tail(Url& url, std::string_view tail) {
  if (const auto hash = tail.find('#'); hash != std::string_view::npos) {
    url.fragment = std::string(tail.substr(hash));
    tail = tail.substr(0, hash);
  }
  if (const auto question = tail.find('?'); question != std::string_view::npos) {
    url.query = std::string(tail.substr(question));
    tail = tail.substr(0, question);
  }
  url.path = std::string(tail);
}

// "scheme:" of an absolute reference; empty when it is relative.
std::string_view scheme_of(std::string_view reference) {
  const auto colon = reference.find_first_of(":/?#");
  if (colon == std::string_view::npos || reference[colon] != ':') return {};
  return reference.substr(0, colon);
}

}  // namespace

Url Url::parse(std::string_view text) {
  check_characters(text);
  Url url;
  const auto separator = text.find("://");
  if (separator == std::string_view::npos) invalid(text, "it is not absolute");
  url.scheme = to_lower(text.substr(0, separator));
  if (url.scheme != "http" && url.scheme != "https") invalid(text, "the scheme is neither http nor https");
  const std::string_view rest = text.substr(separator + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  parse_authority(url, text, rest.substr(0, end));
  parse_tail(url, rest.substr(end));
  return url;
}

std::string Url::str() const {
  return scheme + "://" + (userinfo.empty() ? "" : userinfo + "@") + host_port() + path + query + fragment;
}

std::uint16_t Url::effective_port() const {
  if (port) return *port;
  return scheme == "https" ? 443 : 80;
}

std::string Url::host_port() const {
  return port ? fmt::format("{}:{}", host, *port) : host;
}

std::string Url::origin() const {
  return fmt::format("{}://{}:{}", scheme, host, effective_port());
}

std::string Url::target() const {
  return (path.empty() ? "/" : path) + query;
}

Url resolve_url(const Url& base, std::string_view reference) {
  check_characters(reference);
  if (!scheme_of(reference).empty()) return Url::parse(reference);
  if (reference.substr(0, 2) == "//") return Url::parse(base.scheme + ":" + std::string(reference));
  Url url = base;
  url.fragment.clear();
  if (reference.empty()) return url;
  if (reference.front() == '#') {
    url.fragment = std::string(reference);
    return url;
  }
  const std::string directory = base.path.substr(0, base.path.rfind('/') + 1);
  url.query.clear();
  parse_tail(url, reference);
  if (reference.front() == '?') {
    url.path = base.path;
  } else if (reference.front() != '/') {
    url.path = (directory.empty() ? "/" : directory) + url.path;
  }
  return url;
}

Url with_query(Url url, std::string_view name, std::string_view value) {
  if (url.query.empty()) {
    url.query = "?";
  } else if (url.query.size() > 1 && url.query.back() != '&') {
    url.query += '&';
  }
  url.query += std::string(name) + "=" + percent_encode(value);
  return url;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alphanumeric || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string redact_url(std::string_view url) {
  std::string out(url.substr(0, url.find('#')));
  if (const auto question = out.find('?'); question != std::string::npos) out = out.substr(0, question) + "?...";
  const auto authority = out.find("://");
  if (authority == std::string::npos) return out;
  const auto end = std::min(out.find('/', authority + 3), out.size());
  const auto at = out.rfind('@', end);
  if (at != std::string::npos && at > authority && at < end) out.replace(authority + 3, at - authority - 3, "...");
  return out;
}

}  // namespace tektii::net
