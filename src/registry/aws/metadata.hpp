#pragma once

#include "registry/aws/aws_context.hpp"

namespace tektii::registry::aws {

// The credentials of an ECS task, an EKS pod and the like: $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, which
// may be https, this machine, or one of the addresses that these services have; nullopt when neither is set. Throws
// Error{denied} for any other address and when the service gives none.
std::optional<AwsCredentials> container_credentials(const CloudDeps& deps, const std::stop_token& stop);

// The role of an EC2 instance (IMDSv2 only); nullopt where there is no metadata service, or no role, or
// $AWS_EC2_METADATA_DISABLED is "true". Waits a second for a connection, once.
std::optional<AwsCredentials> instance_credentials(const CloudDeps& deps, const std::stop_token& stop);

}  // namespace tektii::registry::aws
