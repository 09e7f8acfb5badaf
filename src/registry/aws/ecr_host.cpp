#include "registry/aws/ecr_host.hpp"

#include <fmt/format.h>

#include <regex>

namespace tektii::registry::aws {

std::string EcrHost::api_url() const {
  if (is_public) return "https://api.ecr-public.us-east-1.amazonaws.com/";
  const char* name = fips ? "ecr-fips" : "ecr";
  // The names of dual-stack services begin without "api".
  if (suffix == "on.aws") return fmt::format("https://{}.{}.api.aws/", name, region);
  if (suffix == "on.amazonwebservices.com.cn") {
    return fmt::format("https://{}.{}.api.amazonwebservices.com.cn/", name, region);
  }
  return fmt::format("https://api.{}.{}.{}/", name, region, suffix);
}

std::optional<EcrHost> parse_ecr_host(const std::string& host) {
  if (host == "public.ecr.aws") return EcrHost{"", "us-east-1", "amazonaws.com", false, true};
  static const std::regex pattern(
      R"(^(\d{12})\.dkr[.\-]ecr(-fips)?\.([a-zA-Z0-9][a-zA-Z0-9_\-]*)\.(amazonaws\.(?:com(?:\.cn)?|eu)|)"
      R"(on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$)");
  std::smatch match;
  // A host is at most 253 bytes long; the pattern matcher recurses over its input.
  if (host.size() > 253 || !std::regex_match(host, match, pattern)) return std::nullopt;
  return EcrHost{match[1], match[3], match[4], match[2].matched, false};
}

std::string dns_suffix(const std::string& region) {
  if (region.starts_with("cn-")) return "amazonaws.com.cn";
  if (region.starts_with("us-isob-")) return "sc2s.sgov.gov";
  if (region.starts_with("us-isof-")) return "csp.hci.ic.gov";
  if (region.starts_with("us-iso-")) return "c2s.ic.gov";
  if (region.starts_with("eu-isoe-")) return "cloud.adc-e.uk";
  if (region.starts_with("eusc-")) return "amazonaws.eu";
  return "amazonaws.com";
}

}  // namespace tektii::registry::aws
