#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace tektii::dockerfile {

namespace {

constexpr std::array<std::string_view, 10> k_keys = {
    "ref", "tag", "branch", "subdir", "checksum", "commit", "submodules", "mtime", "keep-git-dir", "fetch-by-commit"};

// The text taken apart, nothing decoded yet.
struct Parts {
  std::string remote;
  std::string_view path;
  std::string_view query;
  std::string fragment;
};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// URLs may hold passwords: they are not repeated whole.
[[noreturn]] void refuse(std::string why) {
  throw Error(ErrorKind::usage, "git reference: " + std::move(why));
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
      continue;
    }
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse(fmt::format("\"{}\" has a broken %-escape", escape_control(text)));
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// path?query#fragment, from the first of the two marks on.
void split_tail(std::string_view text, Parts& parts) {
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    parts.fragment = std::string(text.substr(hash + 1));
    text = text.substr(0, hash);
  }
  if (const auto question = text.find('?'); question != std::string_view::npos) {
    parts.query = text.substr(question + 1);
    text = text.substr(0, question);
  }
  parts.path = text;
}

// "user@host:path", which OpenSSH and git write for ssh.
std::optional<Parts> split_scp(std::string_view text) {
  const auto at = text.find('@');
  const auto colon = at == std::string_view::npos ? at : text.find(':', at);
  if (at == 0 || colon == std::string_view::npos || colon == at + 1) return std::nullopt;
  const auto user = text.substr(0, at);
  const auto host = text.substr(at + 1, colon - at - 1);
  const auto in_user = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; };
  const auto in_host = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; };
  if (!std::all_of(user.begin(), user.end(), in_user) || !std::all_of(host.begin(), host.end(), in_host)) {
    return std::nullopt;
  }
  // Programs would take them for options.
  if (user.front() == '-' || host.front() == '-') refuse("user and host may not begin with '-'");
  Parts parts;
  split_tail(text.substr(colon + 1), parts);
  parts.remote = std::string(text.substr(0, colon + 1)) + std::string(parts.path);
  return parts;
}

std::optional<Parts> split_url(std::string_view text, std::string_view scheme, std::string_view rest) {
  Parts parts;
  split_tail(rest, parts);
  const auto slash = std::min(parts.path.find('/'), parts.path.size());
  const auto authority = parts.path.substr(0, slash);
  const auto host = authority.substr(authority.rfind('@') + 1);
  const bool is_http = scheme == "http" || scheme == "https";
  if (is_http && !percent_decode(parts.path, false).ends_with(".git")) return std::nullopt;
  if (host.empty() || host.front() == ':') refuse("the URL has no host");
  if (host.front() == '-' || authority.front() == '-') refuse("user and host may not begin with '-'");
  if (slash == parts.path.size()) refuse("the URL has no path");
  if (const auto bad = text.find_first_of(" \\"); bad < text.size() - parts.fragment.size()) {
    refuse("the URL has a blank or a backslash in it");
  }
  parts.remote = fmt::format("{}://{}", scheme, parts.path);
  parts.fragment = percent_decode(parts.fragment, false);
  return parts;
}

std::optional<Parts> split_reference(std::string_view text, bool is_context) {
  if (text.starts_with("./") || text.starts_with("../")) return std::nullopt;
  if (text.starts_with("github.com/")) {
    if (!is_context) return std::nullopt;
    Parts parts;
    split_tail(text, parts);
    parts.remote = "https://" + std::string(parts.path);
    parts.fragment = percent_decode(parts.fragment, false);
    return parts;
  }
  const auto separator = text.find("://");
  const auto scheme = to_lower(text.substr(0, separator));
  const bool is_url = separator != std::string_view::npos && !scheme.empty() &&
                      std::all_of(scheme.begin(), scheme.end(), is_letter_or_digit);
  if (!is_url) return split_scp(text);
  for (const std::string_view known : {"http", "https", "ssh", "git"}) {
    if (scheme == known) return split_url(text, scheme, text.substr(separator + 3));
  }
  return std::nullopt;
}

// The rules of `git check-ref-format` that matter when a name becomes part of a refspec.
void check_ref(const std::string& ref) {
  const auto forbidden = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
  };
  const bool bad = ref.starts_with('-') || ref.starts_with('/') || ref.ends_with('/') || ref.ends_with('.') ||
                   ref.find("..") != std::string::npos || ref.find("//") != std::string::npos ||
                   ref.find("@{") != std::string::npos || std::any_of(ref.begin(), ref.end(), forbidden);
  if (bad) refuse(fmt::format("\"{}\" can't be the name of a branch, tag or commit", escape_control(ref)));
}

// "/a//b/./c/" is "a/b/c". A leading '/' is the root of the repository.
std::string clean_subdir(std::string_view text) {
  std::string cleaned;
  for (const auto& component : split(text, '/')) {
    if (component.empty() || component == ".") continue;
    if (component == ".." || component.find('\0') != std::string::npos) {
      refuse(fmt::format("the subdirectory \"{}\" leaves the repository", escape_control(text)));
    }
    cleaned += (cleaned.empty() ? "" : "/") + component;
  }
  return cleaned;
}

// Values by key; a key may come once.
std::map<std::string, std::string> split_query(std::string_view query) {
  std::map<std::string, std::string> values;
  for (const auto& field : split(query, '&')) {
    if (field.empty()) continue;
    const auto equals = field.find('=');
    const auto key = percent_decode(field.substr(0, equals), true);
    const auto value = equals == std::string::npos ? std::string() : percent_decode(field.substr(equals + 1), true);
    if (!values.emplace(key, value).second)
      refuse(fmt::format("query \"{}\" has multiple values", escape_control(key)));
  }
  return values;
}

[[noreturn]] void refuse_key(const std::string& key) {
  Error error(ErrorKind::usage, fmt::format("git reference: unexpected query \"{}\"", escape_control(key)));
  const std::vector<std::string> known(k_keys.begin(), k_keys.end());
  if (const auto closest = closest_match(key, known)) error.add_hint(fmt::format("did you mean {}?", *closest));
  error.add_hint("known are " + join(known, ", "));
  throw error;
}

// The spellings of Go's strconv.ParseBool; a key without value is true.
bool parse_bool(const std::string& key, const std::string& value) {
  for (const std::string_view text : {"", "1", "t", "T", "true", "TRUE", "True"}) {
    if (value == text) return true;
  }
  for (const std::string_view text : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (value == text) return false;
  }
  refuse(fmt::format("invalid {} value: \"{}\"", key, escape_control(value)));
}

void set_once(std::string& place, const std::string& value, std::string_view what) {
  if (!place.empty() && place != value) {
    refuse(fmt::format("{} conflicts: \"{}\" vs \"{}\"", what, escape_control(place), escape_control(value)));
  }
  place = value;
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

void set_checksum(GitRef& reference, const std::string& value) {
  const auto checksum = to_lower(value);
  if (checksum.size() > 64 || !std::all_of(checksum.begin(), checksum.end(), is_hex)) {
    refuse(fmt::format("invalid checksum \"{}\", expected the hex id of a commit", escape_control(value)));
  }
  set_once(reference.checksum, checksum, "checksum");
}

void apply(GitRef& reference, const std::string& key, const std::string& value) {
  if (key == "ref") {
    set_once(reference.ref, value, "ref");
  } else if (key == "subdir") {
    set_once(reference.subdir, clean_subdir(value), "subdir");
  } else if (key == "checksum" || key == "commit") {
    set_checksum(reference, value);
  } else if (key == "keep-git-dir") {
    reference.keep_git_dir = parse_bool(key, value);
  } else if (key == "submodules") {
    reference.submodules = parse_bool(key, value);
  } else if (key == "fetch-by-commit") {
    reference.fetch_by_commit = parse_bool(key, value);
  } else if (key == "mtime") {
    if (value != "checkout" && value != "commit") {
      refuse(fmt::format("invalid mtime value: \"{}\" (must be \"checkout\" or \"commit\")", escape_control(value)));
    }
    reference.commit_times = value == "commit";
  }
}

void apply_query(GitRef& reference, const std::map<std::string, std::string>& values) {
  for (const auto& [key, value] : values) {
    if (std::find(k_keys.begin(), k_keys.end(), key) == k_keys.end()) refuse_key(key);
    const bool is_switch = key == "submodules" || key == "keep-git-dir" || key == "fetch-by-commit";
    if (value.empty() && !is_switch) refuse(fmt::format("query \"{}\" has no value", key));
    apply(reference, key, value);
  }
  const auto tag = values.find("tag");
  const auto branch = values.find("branch");
  if (tag != values.end() && branch != values.end()) refuse("branch conflicts with tag");
  if (tag != values.end()) set_once(reference.ref, with_prefix("refs/tags/", tag->second), "ref");
  if (branch != values.end()) set_once(reference.ref, with_prefix("refs/heads/", branch->second), "ref");
}

// What would only come out after a fetch.
void check_commit(const GitRef& reference) {
  const bool ref_is_commit = is_commit_id(reference.ref);
  if (ref_is_commit && !reference.ref.starts_with(reference.checksum)) {
    refuse(fmt::format("expected checksum to match {}, got {}", reference.checksum, reference.ref));
  }
  if (reference.fetch_by_commit && !ref_is_commit && !is_commit_id(reference.checksum)) {
    refuse("fetch-by-commit requires a full commit id as checksum or as ref");
  }
}

}  // namespace

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::all_of(text.begin(), text.end(), is_hex);
}

std::optional<GitRef> parse_git_ref(std::string_view text, bool is_context) {
  const auto parts = split_reference(text, is_context);
  if (!parts) return std::nullopt;
  if (escape_control(parts->remote) != parts->remote || parts->remote.find('\t') != std::string::npos) {
    refuse("the URL has control characters in it");
  }
  GitRef reference;
  reference.remote = parts->remote;
  const auto colon = parts->fragment.find(':');
  reference.ref = parts->fragment.substr(0, colon);
  if (colon != std::string::npos) reference.subdir = clean_subdir(parts->fragment.substr(colon + 1));
  apply_query(reference, split_query(parts->query));
  check_ref(reference.ref);
  check_commit(reference);
  return reference;
}

}  // namespace tektii::dockerfile
