#include <tektii/oci/platform.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::oci {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

}  // namespace

Platform Platform::normalised() const {
  Platform result{to_lower(os), to_lower(architecture), to_lower(variant)};
  auto& arch = result.architecture;
  auto& level = result.variant;
  if (result.os == "macos") result.os = "darwin";
  if (arch == "x86_64" || arch == "x86-64") arch = "amd64";
  if (arch == "i386") arch = "386";
  if (arch == "aarch64") arch = "arm64";
  if (arch == "armhf") {
    arch = "arm";
    level = "v7";
  } else if (arch == "armel") {
    arch = "arm";
    level = "v6";
  }
  // The lowest level of an architecture is the one that is meant when none is named.
  if (arch == "amd64" && level == "v1") level.clear();
  if (arch == "arm64" && (level == "8" || level == "v8")) level.clear();
  if (arch == "arm" && (level.empty() || level == "7")) level = "v7";
  if (arch == "arm" && (level == "5" || level == "6" || level == "8")) level.insert(0, "v");
  return result;
}

Platform Platform::parse(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_word)) {
    Error error(ErrorKind::usage, fmt::format("invalid platform \"{}\"", escape_control(text)));
    error.add_hint("write it as os/architecture, for example linux/amd64");
    throw error;
  }
  return Platform{parts[0], parts[1], parts.size() == 3 ? parts[2] : std::string()}.normalised();
}

std::string Platform::str() const {
  return variant.empty() ? fmt::format("{}/{}", os, architecture) : fmt::format("{}/{}/{}", os, architecture, variant);
}

}  // namespace tektii::oci
