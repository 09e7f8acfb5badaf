#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::net {

// An absolute http or https URL, taken apart without decoding: every component keeps the bytes it came with, because
// servers sign what they hand out (upload sessions, presigned storage) and a re-encoded URL would be another one.
struct Url {
  std::string scheme;                 // "http" or "https"
  std::string userinfo;               // still encoded; empty when there is none
  std::string host;                   // lower case; an IPv6 address keeps its brackets
  std::optional<std::uint16_t> port;  // only when written
  std::string path;                   // "" or "/..."
  std::string query;                  // "" or "?..."
  std::string fragment;               // "" or "#..."

  // Throws Error{failure} on another scheme, an empty host, white space, control characters or a backslash.
  static Url parse(std::string_view text);

  std::string str() const;
  std::uint16_t effective_port() const;
  std::string host_port() const;  // as written: "localhost:5000", "ghcr.io"
  std::string origin() const;     // "https://ghcr.io:443": two URLs may share credentials when these are equal
  std::string target() const;     // path and query as sent in the request line

  bool operator==(const Url&) const = default;
};

// RFC 3986 section 5.2 for the forms that servers send: absolute, "//host/x", "/x", "?x" and relative to the last '/'.
// Dot segments are not removed.
Url resolve_url(const Url& base, std::string_view reference);

// Adds "name=value" with '?' or '&'. The value is percent-encoded, what is there already stays as it is.
Url with_query(Url url, std::string_view name, std::string_view value);

// Encodes everything but RFC 3986 "unreserved".
std::string percent_encode(std::string_view text);

// For messages and logs: user information and the query, which may carry signatures, are replaced by "...".
std::string redact_url(std::string_view url);

// What kind of address a literal host is; a name (other than localhost) counts as public, it is not looked up.
enum class HostScope { public_host, private_address, link_local, loopback };
HostScope host_scope(std::string_view host);

// "localhost", "*.localhost", 127.0.0.0/8 and ::1: the hosts that may be spoken to in plain http.
bool is_loopback_host(std::string_view host);

}  // namespace tektii::net
