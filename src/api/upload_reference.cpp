#include <tektii/api/types.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace tektii::api {

namespace {

std::string_view without_scheme(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  while (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

// A ':' after the last '/' starts a tag; one before it belongs to the host.
bool has_tag(std::string_view reference) {
  const std::size_t slash = reference.rfind('/');
  return slash != std::string_view::npos && reference.find(':', slash) != std::string_view::npos;
}

}  // namespace

oci::ImageReference upload_reference(const VersionUpload& upload) {
  std::string text(without_scheme(trim(upload.repository_url)));
  try {
    // Without a host, parse() would mean Docker Hub, where the platform keeps nothing.
    if (text.find('/') == std::string::npos || text.find('@') != std::string::npos) {
      throw Error(ErrorKind::network, "expected host/repository, with or without a tag");
    }
    if (!has_tag(text)) text += ":" + upload.version_id;
    return oci::ImageReference::parse(text);
  } catch (const Error& error) {
    throw Error(ErrorKind::network, fmt::format("the platform's repositoryUrl \"{}\" makes no image reference: {}",
                                                upload.repository_url, error.message()));
  }
}

std::optional<double> Scenario::metric(std::string_view name) const {
  for (const Metric& one : metrics) {
    if (one.name == name) return one.value;
  }
  return std::nullopt;
}

}  // namespace tektii::api
