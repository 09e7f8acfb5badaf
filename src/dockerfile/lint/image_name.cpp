#include "dockerfile/lint/image_name.hpp"

#include "dockerfile/text.hpp"
#include <tektii/util/text.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace tektii::dockerfile {
namespace {

constexpr std::size_t k_max_name = 255;
constexpr std::size_t k_max_tag = 128;
constexpr std::size_t k_identifier = 64;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c);
}

bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}

template <typename Predicate>
bool all_of(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

bool is_lower_hex(std::string_view text) {
  return all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view hex = text.substr(colon + 1);
  const std::size_t length = algorithm == "sha256"   ? 64U
                             : algorithm == "sha384" ? 96U
                             : algorithm == "sha512" ? 128U
                                                     : 0U;
  return length != 0 && hex.size() == length && is_lower_hex(hex);
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= k_max_tag && text.front() != '.' && text.front() != '-' &&
         all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

// [a-z0-9]+ with a period, one or two underscores or any number of dashes between.
bool is_path_component(std::string_view text) {
  std::size_t i = 0;
  while (true) {
    const std::size_t start = i;
    while (i < text.size() && is_lower_or_digit(text[i])) ++i;
    if (i == start) return false;
    if (i == text.size()) return true;
    const char separator = text[i];
    if (separator != '.' && separator != '_' && separator != '-') return false;
    std::size_t count = 0;
    while (i < text.size() && text[i] == separator) {
      ++i;
      ++count;
    }
    if ((separator == '.' && count > 1) || (separator == '_' && count > 2)) return false;
  }
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (text.size() < 3 || !text.ends_with(']')) return false;
    return all_of(text.substr(1, text.size() - 2),
                  [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':'; });
  }
  for (const std::string& part : split(text, '.')) {
    if (part.empty() || !is_alnum(part.front()) || !is_alnum(part.back())) return false;
    if (!all_of(part, [](char c) { return is_alnum(c) || c == '-'; })) return false;
  }
  return true;
}

bool is_domain(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && !text.ends_with(']');
  if (!has_port) return is_host(text);
  const std::string_view port = text.substr(colon + 1);
  return !port.empty() && all_of(port, is_digit) && is_host(text.substr(0, colon));
}

// What stands before the first slash when it is a registry and not the first part of a path.
std::string_view domain_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view first = text.substr(0, slash);
  const bool is_registry =
      first == "localhost" || first.find_first_of(".:") != std::string_view::npos || to_lower(first) != first;
  return is_registry ? first : std::string_view();
}

std::string normal_os(std::string_view text) {
  std::string os = to_lower(text);
  return os == "macos" ? "darwin" : os.empty() ? "linux" : os;
}

std::string normal_architecture(std::string_view text) {
  std::string architecture = to_lower(text);
  if (architecture == "i386") return "386";
  if (architecture == "x86_64" || architecture == "x86-64") return "amd64";
  if (architecture == "aarch64") return "arm64";
  if (architecture == "armhf" || architecture == "armel") return "arm";
  return architecture;
}

bool is_known_os(std::string_view os) {
  constexpr std::array<std::string_view, 17> k_known = {
      "aix",   "android", "darwin", "dragonfly", "freebsd", "hurd",    "illumos", "ios", "js",
      "linux", "nacl",    "netbsd", "openbsd",   "plan9",   "solaris", "windows", "zos"};
  return std::find(k_known.begin(), k_known.end(), os) != k_known.end();
}

bool is_known_architecture(std::string_view architecture) {
  constexpr std::array<std::string_view, 24> k_known = {
      "386",     "amd64",   "amd64p32", "arm",    "armbe",  "arm64",    "arm64be",   "ppc64",
      "ppc64le", "loong64", "mips",     "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le",
      "ppc",     "riscv",   "riscv64",  "s390",   "s390x",  "sparc",    "sparc64",   "wasm"};
  return std::find(k_known.begin(), k_known.end(), architecture) != k_known.end();
}

bool is_platform_component(std::string_view text) {
  return !text.empty() && all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace

bool is_image_name(std::string_view text) {
  if (text.size() == k_identifier && is_lower_hex(text)) return false;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (!is_digest(text.substr(at + 1))) return false;
    text = text.substr(0, at);
  }
  const std::string_view domain = domain_of(text);
  std::string_view path = domain.empty() ? text : text.substr(domain.size() + 1);
  if (!domain.empty() && !is_domain(domain)) return false;
  if (const std::size_t colon = path.find(':'); colon != std::string_view::npos) {
    if (!is_tag(path.substr(colon + 1))) return false;
    path = path.substr(0, colon);
  }
  if (domain.size() + path.size() + 1 > k_max_name) return false;
  const std::vector<std::string> components = split(path, '/');
  return std::all_of(components.begin(), components.end(), is_path_component);
}

std::optional<PlatformName> parse_platform_name(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() > 3) return std::nullopt;
  std::string os = parts.front();
  // "windows(10.0.17763+win32k)": what is in parentheses says which version.
  if (const std::size_t open = os.find('('); open != std::string::npos) {
    if (!os.ends_with(')')) return std::nullopt;
    os.erase(open);
  }
  if (!is_platform_component(os) || (parts.size() > 1 && os.find('.') != std::string::npos)) return std::nullopt;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!is_platform_component(parts[i])) return std::nullopt;
  }
  if (parts.size() > 1) return PlatformName{normal_os(os), normal_architecture(parts[1])};
  if (is_known_os(normal_os(os))) return PlatformName{normal_os(os), "amd64"};
  if (is_known_architecture(normal_architecture(os))) return PlatformName{"linux", normal_architecture(os)};
  return std::nullopt;
}

}  // namespace tektii::dockerfile
