#include "layout.hpp"

#include <tektii/oci/digest.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

namespace tektii::cli {

namespace fs = std::filesystem;

std::string LayoutContext::str() const {
  const char* mark = tag.empty() ? "" : oci::Digest::is_valid(tag) ? "@" : ":";
  return fmt::format("{}{}{}{}", k_layout_scheme, directory.string(), mark, tag);
}

LayoutContext parse_layout(const std::string& text) {
  auto path = text.substr(k_layout_scheme.size());
  LayoutContext layout;
  if (const auto at = path.rfind('@'); at != std::string::npos && path.find('/', at) == std::string::npos) {
    layout.tag = path.substr(at + 1);
    if (!oci::Digest::is_valid(layout.tag)) {
      throw Error(ErrorKind::usage,
                  fmt::format("{}: {} is not a digest (sha256:<64 hex characters>)", text, layout.tag));
    }
    path.erase(at);
  }
  const auto slash = path.rfind('/');
  const auto colon = path.rfind(':');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  layout.directory = fs::absolute(tagged ? path.substr(0, colon) : path);
  if (tagged && layout.tag.empty()) layout.tag = path.substr(colon + 1);
  std::error_code failure;
  if (!fs::is_regular_file(layout.directory / "oci-layout", failure)) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is not an OCI layout: it has no oci-layout file", layout.directory.string()));
  }
  return layout;
}

}  // namespace tektii::cli
