#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::oci {

namespace {

constexpr std::size_t k_max_name = 255;
constexpr std::size_t k_max_tag = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alphanumeric(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}

// What is wrong with a part of a reference; empty when nothing is.
using Problem = std::string;

Problem check_port(std::string_view port) {
  const auto number = std::all_of(port.begin(), port.end(), is_digit) ? parse_int(port) : std::nullopt;
  if (!number || *number < 1 || *number > 65535) return fmt::format("\"{}\" is not a port", escape_control(port));
  return {};
}

Problem check_ipv6_host(std::string_view host) {
  const auto end = host.find(']');
  const auto address = host.substr(1, end - 1);
  const bool is_address =
      end != std::string_view::npos && std::count(address.begin(), address.end(), ':') >= 2 &&
      std::all_of(address.begin(), address.end(), [](char c) {
        return is_digit(c) || c == ':' || c == '.' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      });
  if (!is_address) return "the registry is not an IPv6 address in brackets";
  const auto rest = host.substr(end + 1);
  if (rest.empty()) return {};
  if (rest.front() != ':') return "only a port can follow the registry's address";
  return check_port(rest.substr(1));
}

// domain-component := [a-zA-Z0-9] | [a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9], joined by dots
Problem check_host(std::string_view host) {
  if (host.starts_with('[')) return check_ipv6_host(host);
  const auto colon = host.find(':');
  if (colon != std::string_view::npos) {
    if (auto problem = check_port(host.substr(colon + 1)); !problem.empty()) return problem;
    host = host.substr(0, colon);
  }
  for (const auto& label : split(host, '.')) {
    const bool is_label =
        !label.empty() && label.front() != '-' && label.back() != '-' &&
        std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
    if (!is_label) return fmt::format("\"{}\" is not a host name", escape_control(host));
  }
  return {};
}

// path-component := [a-z0-9]+ (("." | "_" | "__" | "-"+) [a-z0-9]+)*
bool is_path_component(std::string_view text) {
  const auto is_name_char = [](char c) { return is_digit(c) || is_lower(c); };
  if (text.empty() || !is_name_char(text.front()) || !is_name_char(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_name_char(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (!is_name_char(text[end])) ++end;  // ends: the last character is a name character
    const auto separator = text.substr(i, end - i);
    const bool is_dashes = std::all_of(separator.begin(), separator.end(), [](char c) { return c == '-'; });
    if (separator != "." && separator != "_" && separator != "__" && !is_dashes) return false;
    i = end;
  }
  return true;
}

Problem check_repository(std::string_view repository) {
  if (repository.empty()) return "the repository name is missing";
  if (std::any_of(repository.begin(), repository.end(), is_upper)) return "the repository name must be lower case";
  for (const auto& component : split(repository, '/')) {
    if (component.empty()) return "the repository name has an empty component";
    if (!is_path_component(component))
      return fmt::format("\"{}\" can't be part of a repository name (lower-case letters, digits, and . _ __ - between)",
                         escape_control(component));
  }
  return {};
}

Problem check_tag(std::string_view tag) {
  if (tag.empty()) return "the tag after the ':' is missing";
  if (tag.size() > k_max_tag) return fmt::format("the tag is longer than {} characters", k_max_tag);
  const auto is_tag_char = [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; };
  if (!std::all_of(tag.begin(), tag.end(), is_tag_char) || tag.front() == '.' || tag.front() == '-')
    return fmt::format("\"{}\" is not a tag (letters, digits, and _ . - after the first)", escape_control(tag));
  return {};
}

[[noreturn]] void fail(std::string_view text, const Problem& problem) {
  constexpr std::size_t k_shown = 300;
  Error error(ErrorKind::usage,
              fmt::format("invalid image reference \"{}{}\": {}", escape_control(text.substr(0, k_shown)),
                          text.size() > k_shown ? "..." : "", problem));
  error.add_hint("write it as [registry[:port]/]repository[:tag][@sha256:digest]");
  throw error;
}

bool is_host(std::string_view first_component) {
  return first_component.find_first_of(".:[") != std::string_view::npos || first_component == "localhost";
}

}  // namespace

ImageReference ImageReference::parse(std::string_view text) {
  const auto require = [&](const Problem& problem) {
    if (!problem.empty()) fail(text, problem);
  };
  if (text.empty()) fail(text, "it is empty");
  if (text.find("://") != std::string_view::npos)
    fail(text, "a reference has no scheme; leave out what is before the //");

  ImageReference result;
  auto rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const auto digest = rest.substr(at + 1);
    if (!Digest::is_valid(digest)) fail(text, "the digest must be \"sha256:\" and 64 lower-case hex characters");
    result.digest = Digest::parse(digest);
    rest = rest.substr(0, at);
  }
  if (const auto slash = rest.find('/'); slash != std::string_view::npos && is_host(rest.substr(0, slash))) {
    result.registry = std::string(rest.substr(0, slash));
    require(check_host(result.registry));
    rest.remove_prefix(slash + 1);
  }
  // What is left has no port, so that a ':' can only begin the tag.
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    result.tag = std::string(rest.substr(colon + 1));
    require(check_tag(result.tag));
    rest = rest.substr(0, colon);
  } else if (!result.digest) {
    result.tag = "latest";
  }
  require(check_repository(rest));
  result.repository = std::string(rest);

  if (result.registry.empty() || result.registry == "index.docker.io") result.registry = "docker.io";
  if (result.registry == "docker.io" && result.repository.find('/') == std::string::npos)
    result.repository.insert(0, "library/");
  if (result.repository_str().size() > k_max_name)
    fail(text, fmt::format("registry and repository are longer than {} characters", k_max_name));
  return result;
}

std::string ImageReference::repository_str() const {
  return registry + "/" + repository;
}

std::string ImageReference::str() const {
  auto text = repository_str();
  if (!tag.empty()) text += ":" + tag;
  if (digest) text += "@" + digest->str();
  return text;
}

std::string ImageReference::manifest_reference() const {
  return digest ? digest->str() : tag;
}

}  // namespace tektii::oci
