#pragma once

#include "registry/aws/aws_context.hpp"
#include "registry/aws/ecr_host.hpp"

namespace tektii::registry::aws {

struct EcrToken {
  std::string username;
  Secret password;
  TimePoint expires;
};

// GetAuthorizationToken of Amazon ECR or ECR Public. Throws Error{denied} with the service's own words.
EcrToken get_authorization_token(const CloudDeps& deps, const EcrHost& host, const AwsCredentials& credentials,
                                 const std::stop_token& stop);

// CreateRepository.
RepositoryCreation create_repository(const CloudDeps& deps, const EcrHost& host, const AwsCredentials& credentials,
                                     const std::string& repository, const std::stop_token& stop);

}  // namespace tektii::registry::aws
