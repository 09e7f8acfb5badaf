#include "cli/images/image_name.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

using Transport = ImageName::Transport;

struct Prefix {
  std::string text;
  Transport transport;
};

// Longer ones first where one begins with another.
const std::vector<Prefix>& prefixes() {
  static const std::vector<Prefix> k_prefixes = {
      {"docker://", Transport::registry},
      {"oci-layout://", Transport::oci},
      {"oci-layout:", Transport::oci},
      {"oci-archive://", Transport::oci_archive},
      {"oci-archive:", Transport::oci_archive},
      {"docker-archive://", Transport::docker_archive},
      {"docker-archive:", Transport::docker_archive},
      {"oci://", Transport::oci},
      {"oci:", Transport::oci},
  };
  return k_prefixes;
}

constexpr const char* k_forms =
    "write [docker://]REFERENCE, oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:REFERENCE]";

const Prefix* find_prefix(const std::string& text) {
  const auto found = std::find_if(prefixes().begin(), prefixes().end(),
                                  [&](const Prefix& prefix) { return text.starts_with(prefix.text); });
  return found == prefixes().end() ? nullptr : &*found;
}

[[noreturn]] void fail(const std::string& text, const std::string& problem, const std::string& hint = k_forms) {
  throw Error(ErrorKind::usage, fmt::format("{}: {}", escape_control(text), problem)).add_hint(hint);
}

// What other tools have and we do not, and why.
std::string foreign_transport(std::string_view scheme) {
  if (scheme == "docker-daemon" || scheme == "containers-storage" || scheme == "containerd") {
    return "images of a daemon are not reached; save one to a file, and use docker-archive:FILE";
  }
  if (scheme == "dir") return "use an OCI layout, oci:DIR";
  return {};
}

// A word before a ':' that is close to a transport and can't be meant otherwise.
[[noreturn]] void fail_unknown_transport(const std::string& text, const std::string& scheme) {
  static const std::vector<std::string> k_names = {"docker", "oci", "oci-layout", "oci-archive", "docker-archive"};
  Error error(ErrorKind::usage, fmt::format("{}: there is no transport \"{}\"", escape_control(text), scheme));
  if (const auto hint = foreign_transport(scheme); !hint.empty()) throw error.add_hint(hint);
  if (const auto meant = closest_match(scheme, k_names)) {
    error.add_hint(fmt::format("did you mean {}{}?", *meant, *meant == "docker" ? "://" : ":"));
  }
  throw error.add_hint(k_forms);
}

oci::ImageReference parse_registry(const std::string& text) {
  const bool is_path =
      text.starts_with('/') || text.starts_with("./") || text.starts_with("../") || text == "." || text == "..";
  if (is_path) fail(text, "a path is no name of an image", "write oci:DIR, oci-archive:FILE or docker-archive:FILE");
  const auto colon = text.find(':');
  const auto scheme = to_lower(text.substr(0, colon));
  const bool is_word = colon != std::string::npos && !scheme.empty() &&
                       scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (is_word && text.compare(colon, 3, "://") == 0) fail_unknown_transport(text, scheme);
  try {
    return oci::ImageReference::parse(text);
  } catch (const Error&) {
    // "oci-archve:/tmp/a.tar" is no reference; "oic:1" is one and is taken as such.
    static const std::vector<std::string> k_long = {"oci", "oci-layout", "oci-archive", "docker-archive"};
    if (is_word && (closest_match(scheme, k_long) || !foreign_transport(scheme).empty())) {
      fail_unknown_transport(text, scheme);
    }
    throw;
  }
}

fs::path absolute_path(const std::string& text, const std::string& path) {
  if (path.empty()) fail(text, "the path is missing");
  return path == "-" ? fs::path(path) : fs::absolute(path).lexically_normal();
}

// DIR[:TAG][@DIGEST]: the last ':' that has no '/' behind it begins the tag.
void read_layout_path(const std::string& text, std::string rest, ImageName& name) {
  if (const auto at = rest.rfind('@'); at != std::string::npos && rest.find('/', at) == std::string::npos) {
    name.tag = rest.substr(at + 1);
    if (!oci::Digest::is_valid(name.tag)) fail(text, "what follows the @ must be sha256: and 64 lower-case hex digits");
    rest.erase(at);
  }
  const auto slash = rest.rfind('/');
  const auto colon = rest.rfind(':');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    if (name.tag.empty()) name.tag = rest.substr(colon + 1);
    if (name.tag.empty()) fail(text, "the tag after the ':' is missing");
    rest.erase(colon);
  }
  name.path = absolute_path(text, rest);
}

// FILE[:REFERENCE]: a reference has colons itself, so the first one ends the path.
void read_docker_archive(const std::string& text, const std::string& rest, ImageName& name) {
  const auto colon = rest.find(':');
  name.path = absolute_path(text, rest.substr(0, colon));
  if (colon == std::string::npos) return;
  name.reference = oci::ImageReference::parse(rest.substr(colon + 1));
  if (name.reference->digest) fail(text, "an image in an archive is named by a tag, not by a digest");
}

// A tag may hold a '/' where other tools put whole references ("oci-archive:a.tar:localhost/app:1").
void read_archive_path(const std::string& text, const std::string& rest, ImageName& name) {
  const auto colon = rest.find(':');
  name.path = absolute_path(text, rest.substr(0, colon));
  if (colon == std::string::npos) return;
  name.tag = rest.substr(colon + 1);
  if (name.tag.empty()) fail(text, "the tag after the ':' is missing");
}

}  // namespace

std::string ImageName::str() const {
  const char* mark = tag.empty() ? "" : oci::Digest::is_valid(tag) ? "@" : ":";
  switch (transport) {
    case Transport::registry:
      return reference->str();
    case Transport::oci:
      return fmt::format("oci:{}{}{}", path.string(), mark, tag);
    case Transport::oci_archive:
      return fmt::format("oci-archive:{}{}{}", path.string(), tag.empty() ? "" : ":", tag);
    case Transport::docker_archive:
      return fmt::format("docker-archive:{}{}", path.string(), reference ? ":" + reference->str() : "");
  }
  return {};
}

bool has_transport(const std::string& text) {
  return find_prefix(text) != nullptr;
}

ImageName parse_image_name(const std::string& text) {
  ImageName name;
  const auto* prefix = find_prefix(text);
  if (prefix == nullptr) {
    name.reference = parse_registry(text);
    return name;
  }
  name.transport = prefix->transport;
  const auto rest = text.substr(prefix->text.size());
  switch (prefix->transport) {
    case Transport::registry:
      name.reference = oci::ImageReference::parse(rest);
      break;
    case Transport::oci:
      read_layout_path(text, rest, name);
      break;
    case Transport::oci_archive:
      read_archive_path(text, rest, name);
      break;
    case Transport::docker_archive:
      read_docker_archive(text, rest, name);
      break;
  }
  return name;
}

std::optional<ImageName> parse_archive_name(const std::string& text) {
  const auto* prefix = find_prefix(text);
  const bool is_archive = prefix != nullptr && (prefix->transport == Transport::oci_archive ||
                                                prefix->transport == Transport::docker_archive);
  return is_archive ? std::optional(parse_image_name(text)) : std::nullopt;
}

}  // namespace tektii::cli
