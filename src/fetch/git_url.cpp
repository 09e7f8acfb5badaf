#include "fetch/git_url.hpp"

#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::fetch {

namespace {

// user@host:path, where the part before the colon is no path.
bool is_scp_like(std::string_view remote) {
  const auto colon = remote.find(':');
  const auto at = remote.find('@');
  return colon != std::string_view::npos && at != std::string_view::npos && at > 0 && at + 1 < colon &&
         remote.substr(0, colon).find('/') == std::string_view::npos && remote.substr(colon, 2) != "::" &&
         remote[at + 1] != '-';
}

}  // namespace

bool is_http(std::string_view remote) {
  return remote.starts_with("http://") || remote.starts_with("https://");
}

std::string_view userinfo_of(std::string_view remote) {
  const auto scheme = remote.find("://");
  if (scheme == std::string_view::npos) return {};
  const auto authority = remote.substr(scheme + 3, remote.find('/', scheme + 3) - scheme - 3);
  const auto at = authority.rfind('@');
  return at == std::string_view::npos ? std::string_view() : authority.substr(0, at);
}

bool is_allowed_remote(std::string_view remote, bool allow_file) {
  const bool bad_character = std::any_of(remote.begin(), remote.end(),
                                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (remote.starts_with('-') || bad_character) return false;
  for (const std::string_view scheme : {"https://", "http://", "ssh://", "git://"}) {
    if (remote.starts_with(scheme)) return remote.size() > scheme.size() && remote[scheme.size()] != '-';
  }
  if (remote.starts_with("file://")) return allow_file;
  return is_scp_like(remote);
}

std::string without_credentials(std::string_view remote) {
  const auto userinfo = userinfo_of(remote);
  if (userinfo.empty()) return std::string(remote);
  std::string result(remote);
  const auto begin = remote.find("://") + 3;
  if (is_http(remote)) return result.erase(begin, userinfo.size() + 1);
  const auto colon = userinfo.find(':');
  return colon == std::string_view::npos ? result : result.erase(begin + colon, userinfo.size() - colon);
}

std::string redact_remote(std::string text, std::string_view remote) {
  const auto userinfo = userinfo_of(remote);
  if (userinfo.empty() || !is_http(remote)) return text;
  const std::string needle = std::string(userinfo) + "@";
  for (auto at = text.find(needle); at != std::string::npos; at = text.find(needle, at)) text.erase(at, needle.size());
  return text;
}

std::string resolve_submodule_url(std::string_view parent, std::string_view url) {
  if (!url.starts_with("./") && !url.starts_with("../")) return std::string(url);
  std::string base(parent);
  while (base.ends_with('/')) base.pop_back();
  const auto scheme = base.find("://");
  const auto lowest = scheme == std::string::npos ? base.find(':') + 1 : base.find('/', scheme + 3);
  std::string separator = "/";
  while (true) {
    if (url.starts_with("./")) {
      url.remove_prefix(2);
      continue;
    }
    if (!url.starts_with("../")) break;
    url.remove_prefix(3);
    const auto slash = base.rfind('/');
    if (slash != std::string::npos && slash >= lowest) {
      base.erase(slash);
    } else if (scheme == std::string::npos && base.size() > lowest) {
      base.erase(lowest);  // "user@host:a" has no slash left, only its colon
      separator.clear();
    } else {
      throw Error(ErrorKind::failure, fmt::format("a submodule's URL leaves {}", without_credentials(parent)));
    }
  }
  return base + separator + std::string(url);
}

std::string http_scope(std::string_view remote) {
  if (!is_http(remote)) return {};
  const auto url = net::Url::parse(remote);
  return fmt::format("{}://{}/", url.scheme, url.host_port());
}

}  // namespace tektii::fetch
