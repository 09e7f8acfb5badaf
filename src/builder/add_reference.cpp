#include "remote_source.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tektii::builder {
namespace {

constexpr const char* k_unnamed_file = "__unnamed__";

bool is_http(std::string_view word) {
  return word.starts_with("http://") || word.starts_with("https://");
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// nullopt for a '%' without two hex digits behind it.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

[[noreturn]] void refuse_url(std::string_view url, std::string_view why) {
  throw Error(ErrorKind::usage, fmt::format("invalid URL {}: {}", escape_control(without_credentials(url)), why));
}

// The mistakes that a download would find much later; `text` begins with http:// or https://.
void check_url(std::string_view text) {
  const bool bad_character =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == '\\'; });
  if (bad_character) refuse_url(text, "it contains white space, a control character or a backslash");
  auto authority = text.substr(text.find("://") + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const bool is_ipv6 = authority.starts_with('[');
  const auto end = is_ipv6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (end == std::string_view::npos) refuse_url(text, "the IPv6 address has no ']'");
  const auto host = is_ipv6 ? authority.substr(1, end - 1) : authority.substr(0, end);
  const auto rest = authority.substr(is_ipv6 ? end + 1 : end);
  if (host.empty()) refuse_url(text, "it has no host");
  const auto is_host_character = [&](unsigned char c) {
    if (is_ipv6) return hex_value(to_lower(std::string(1, static_cast<char>(c))).front()) >= 0 || c == ':' || c == '.';
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c >= 0x80;
  };
  if (!std::all_of(host.begin(), host.end(), is_host_character)) refuse_url(text, "the host is malformed");
  if (rest.empty() || rest == ":") return;
  const auto digits = rest.substr(1);
  const bool all_digits = digits.find_first_not_of("0123456789") == std::string_view::npos;
  const auto port = all_digits ? parse_int(digits) : std::nullopt;
  if (rest.front() != ':') refuse_url(text, "the host is malformed");
  if (!port || *port < 1 || *port > 65535) refuse_url(text, "the port is not a number from 1 to 65535");
}

}  // namespace

AddReference parse_add_reference(std::string_view word) {
  AddReference reference;
  if (auto git = dockerfile::parse_git_ref(word)) {
    if (is_http(git->remote)) check_url(git->remote);
    reference.kind = AddReference::Kind::git;
    reference.git = std::move(*git);
  } else if (is_http(word)) {
    check_url(word);
    reference.kind = AddReference::Kind::url;
  }
  return reference;
}

void check_takes_remote(const AddReference& reference, bool is_add) {
  if (is_add || reference.kind == AddReference::Kind::path) return;
  const auto* what = reference.kind == AddReference::Kind::git ? "a git reference" : "a URL";
  throw Error(ErrorKind::usage, fmt::format("the source of COPY can't be {}", what)).add_hint("use ADD");
}

void check_takes_checksum(const AddReference& reference, bool has_checksum) {
  if (!has_checksum || reference.kind != AddReference::Kind::path) return;
  throw Error(ErrorKind::usage, "checksum requires HTTP(S) or Git sources");
}

void apply_git_flags(dockerfile::GitRef& reference, std::optional<bool> keep_git_dir,
                     const std::optional<std::string>& checksum) {
  if (keep_git_dir) {
    if (reference.keep_git_dir && *reference.keep_git_dir != *keep_git_dir) {
      throw Error(ErrorKind::usage, "inconsistent keep-git-dir configuration: the flag and the reference disagree");
    }
    reference.keep_git_dir = keep_git_dir;
  }
  if (!checksum) return;
  constexpr std::size_t k_longest_commit = 64;
  const auto commit = to_lower(*checksum);
  const bool is_hex = std::all_of(commit.begin(), commit.end(), [](char c) { return hex_value(c) >= 0; });
  if (!is_hex || commit.empty() || commit.size() > k_longest_commit) {
    throw Error(
        ErrorKind::usage,
        fmt::format("invalid checksum {} for a git source: it must be a commit, or the start of one", *checksum));
  }
  if (!reference.checksum.empty() && reference.checksum != commit) {
    throw Error(ErrorKind::usage,
                fmt::format("checksum mismatch: the flag says {}, the reference {}", *checksum, reference.checksum));
  }
  reference.checksum = commit;
}

oci::Digest parse_file_checksum(const std::string& checksum) {
  if (oci::Digest::is_valid(checksum)) return oci::Digest::parse(checksum);
  throw Error(ErrorKind::usage, fmt::format("invalid checksum {}: it must be sha256: and 64 hexadecimal digits "
                                            "in lower case",
                                            checksum));
}

std::string file_name_of_url(std::string_view url) {
  url.remove_prefix(std::min(url.find("://") + 3, url.size()));
  url = url.substr(0, url.find_first_of("?#"));
  const auto slash = url.find('/');
  if (slash == std::string_view::npos) return k_unnamed_file;
  const auto decoded = percent_decoded(url.substr(slash));
  if (!decoded) return k_unnamed_file;
  std::string_view path = *decoded;
  while (path.ends_with('/')) path.remove_suffix(1);
  const auto name = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string_view::npos) return k_unnamed_file;
  return std::string(name);
}

std::string without_credentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const auto authority = url.substr(scheme + 3, url.substr(scheme + 3).find_first_of("/?#"));
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return fmt::format("{}{}", url.substr(0, scheme + 3), url.substr(scheme + 3 + at + 1));
}

}  // namespace tektii::builder
