#pragma once

#include "registry/aws/aws_context.hpp"

namespace tektii::registry::aws {

// What a role is taken on with.
struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::string external_id = {};
  std::string region;
};

// AWS STS. Both throw Error{denied} with the service's own words when it refuses, Error{network} when it is out of
// reach.
AwsCredentials assume_role(const CloudDeps& deps, const RoleRequest& role, const AwsCredentials& source,
                           const std::stop_token& stop);
AwsCredentials assume_role_with_web_identity(const CloudDeps& deps, const RoleRequest& role, const Secret& token,
                                             const std::stop_token& stop);

// The text of the first element of that name in the XML of an answer; "" when there is none. Pure. The values in
// question hold nothing that XML would escape.
std::string xml_text(std::string_view xml, std::string_view element);

}  // namespace tektii::registry::aws
