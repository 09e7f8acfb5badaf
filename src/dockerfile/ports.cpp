#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>

#include <charconv>

namespace tektii::dockerfile {
namespace {

struct PortRange {
  unsigned first = 0;
  unsigned last = 0;
};

[[noreturn]] void fail(std::string message) {
  throw Error(ErrorKind::usage, std::move(message));
}

std::optional<unsigned> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<PortRange> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

void check_address(std::string ip) {
  const std::string written = ip;
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  in6_addr address{};
  if (inet_pton(AF_INET, ip.c_str(), &address) != 1 && inet_pton(AF_INET6, ip.c_str(), &address) != 1) {
    fail("invalid IP address: " + written);
  }
}

}  // namespace

std::vector<std::string> parse_ports(std::string_view spec) {
  // [[ip:]host:]container: the address may hold colons itself.
  std::string_view container = spec;
  std::string_view host;
  std::string_view ip;
  if (const std::size_t colon = spec.rfind(':'); colon != std::string_view::npos) {
    container = spec.substr(colon + 1);
    host = spec.substr(0, colon);
    if (const std::size_t second = host.rfind(':'); second != std::string_view::npos) {
      ip = host.substr(0, second);
      host = host.substr(second + 1);
    }
  }
  const std::size_t slash = container.find('/');
  std::string protocol = slash == std::string_view::npos ? "tcp" : to_lower(container.substr(slash + 1));
  if (protocol.empty()) protocol = "tcp";
  container = container.substr(0, slash);
  if (container.empty()) fail(fmt::format("no port specified: {}<empty>", spec));
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") fail("invalid proto: " + protocol);
  if (!ip.empty()) check_address(std::string(ip));
  const auto range = parse_range(container);
  if (!range) fail(fmt::format("invalid containerPort: {}", container));
  if (!host.empty()) {
    const auto host_range = parse_range(host);
    if (!host_range) fail(fmt::format("invalid hostPort: {}", host));
    if (range->first != range->last && range->last - range->first != host_range->last - host_range->first) {
      fail(fmt::format("invalid ranges specified for container and host Ports: {} and {}", container, host));
    }
  }
  std::vector<std::string> ports;
  for (unsigned port = range->first; port <= range->last; ++port) ports.push_back(fmt::format("{}/{}", port, protocol));
  return ports;
}

}  // namespace tektii::dockerfile
