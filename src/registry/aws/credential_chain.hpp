#pragma once

#include "registry/aws/aws_context.hpp"
#include "registry/aws/profiles.hpp"

#include <set>

namespace tektii::registry::aws {

// Finds AWS credentials where the AWS tools look for them: an explicit profile ($AWS_PROFILE), the environment, a web
// identity (a token file as on EKS, or GitHub's OpenID Connect), the default profile, the metadata services of the
// container and of the instance. nullopt when there are none; throws when there are and they can't be had.
class CredentialChain {
 public:
  // `region` is that of the registry; $AWS_REGION and the profile's come first where STS is asked.
  CredentialChain(const CloudDeps& deps, std::string region) : deps_(deps), region_(std::move(region)) {}

  std::optional<AwsCredentials> find(const std::stop_token& stop);

 private:
  std::optional<AwsCredentials> from_environment() const;
  std::optional<AwsCredentials> from_web_identity(const std::stop_token& stop) const;
  Secret github_token(const std::string& role_arn, const std::string& url, const std::stop_token& stop) const;
  std::optional<AwsCredentials> from_profile(const Profiles& profiles, const std::string& name,
                                             std::set<std::string> visited, const std::stop_token& stop) const;
  AwsCredentials from_role(const Profiles& profiles, const std::string& name, const std::set<std::string>& visited,
                           const std::stop_token& stop) const;
  std::optional<AwsCredentials> role_source(const Profiles& profiles, const std::string& name,
                                            const std::set<std::string>& visited, const std::stop_token& stop) const;
  AwsCredentials from_process(const std::string& name, const std::string& command, const std::stop_token& stop) const;
  std::string region(const Profile* profile = nullptr) const;
  std::string session_name(const Profile* profile = nullptr) const;

  const CloudDeps& deps_;
  std::string region_;
};

}  // namespace tektii::registry::aws
