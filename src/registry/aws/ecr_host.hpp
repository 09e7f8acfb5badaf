#pragma once

#include <optional>
#include <string>

namespace tektii::registry::aws {

// What the host of an Amazon ECR registry says: "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com".
struct EcrHost {
  std::string account;  // empty for public.ecr.aws
  std::string region;
  std::string suffix;  // "amazonaws.com", "amazonaws.com.cn", "on.aws" ...
  bool fips = false;
  bool is_public = false;

  // Where the service that gives out the registry's tokens is, as https URL.
  std::string api_url() const;
  // The service's name in signatures.
  std::string service() const { return is_public ? "ecr-public" : "ecr"; }
};

// Of all partitions, with FIPS and dual-stack names, by the pattern of amazon-ecr-credential-helper; nullopt for any
// other host.
std::optional<EcrHost> parse_ecr_host(const std::string& host);

// "amazonaws.com.cn" for "cn-north-1": what the names of services in the region's partition end with.
std::string dns_suffix(const std::string& region);

}  // namespace tektii::registry::aws
