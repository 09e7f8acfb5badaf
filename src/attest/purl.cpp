#include "attest/purl.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::attest {

std::string percent_encoded(std::string_view text, bool keep_colon) {
  std::string encoded;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_plain = is_letter || (c >= '0' && c <= '9') || std::string_view("-._~").find(c) != std::string::npos;
    if (is_plain || (keep_colon && c == ':')) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string PackageUrl::str() const {
  std::string url = "pkg:" + type + "/";
  if (!name_space.empty()) {
    for (const auto& part : split(name_space, '/')) url += percent_encoded(part, true) + "/";
  }
  url += percent_encoded(name, true);
  if (!version.empty()) url += "@" + percent_encoded(version, true);
  auto sorted = qualifiers;
  std::sort(sorted.begin(), sorted.end());
  char separator = '?';
  for (const auto& [key, value] : sorted) {
    if (value.empty()) continue;
    url += fmt::format("{}{}={}", separator, key, percent_encoded(value, true));
    separator = '&';
  }
  return url;
}

}  // namespace tektii::attest
