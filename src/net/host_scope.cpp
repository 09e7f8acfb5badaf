#include <tektii/net/url.hpp>
#include <tektii/util/text.hpp>

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace tektii::net {

namespace {

std::string without_brackets(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::string(host);
}

HostScope scope_of_ipv4(std::uint32_t address) {
  const auto in = [address](std::uint32_t network, unsigned bits) {
    return (address >> (32 - bits)) == (network >> (32 - bits));
  };
  if (in(0x7f000000, 8) || in(0x00000000, 8)) return HostScope::loopback;  // 0.0.0.0 reaches this host on Linux
  if (in(0xa9fe0000, 16)) return HostScope::link_local;                    // 169.254/16: cloud metadata services
  if (in(0x0a000000, 8) || in(0xac100000, 12) || in(0xc0a80000, 16) || in(0x64400000, 10)) {
    return HostScope::private_address;
  }
  return HostScope::public_host;
}

HostScope scope_of_ipv6(const std::array<std::uint8_t, 16>& a) {
  const std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(a.data(), mapped.data(), mapped.size()) == 0) {
    return scope_of_ipv4(std::uint32_t{a[12]} << 24 | std::uint32_t{a[13]} << 16 | std::uint32_t{a[14]} << 8 | a[15]);
  }
  bool leading_zeros = true;
  for (std::size_t i = 0; i < 15; ++i) leading_zeros = leading_zeros && a[i] == 0;
  if (leading_zeros && a[15] <= 1) return HostScope::loopback;              // :: and ::1
  if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) return HostScope::link_local;  // fe80::/10
  if ((a[0] & 0xfe) == 0xfc) return HostScope::private_address;             // fc00::/7
  return HostScope::public_host;
}

bool is_localhost_name(std::string_view host) {
  const std::string name = to_lower(host);
  return name == "localhost" || (name.size() > 10 && name.ends_with(".localhost"));
}

}  // namespace

HostScope host_scope(std::string_view host) {
  if (is_localhost_name(host)) return HostScope::loopback;
  const std::string literal = without_brackets(host);
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, literal.c_str(), v6.data()) == 1) return scope_of_ipv6(v6);
  // inet_aton also takes "127.1", "0x7f000001" and "2130706433", which connect() would accept as well.
  in_addr v4{};
  if (inet_aton(literal.c_str(), &v4) == 1) return scope_of_ipv4(ntohl(v4.s_addr));
  return HostScope::public_host;
}

bool is_loopback_host(std::string_view host) {
  if (is_localhost_name(host)) return true;
  const std::string literal = without_brackets(host);
  in_addr v4{};
  if (inet_pton(AF_INET, literal.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, literal.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6) != 0;
}

}  // namespace tektii::net
