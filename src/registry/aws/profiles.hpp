#pragma once

#include <tektii/registry/credentials.hpp>

#include <map>
#include <string>
#include <string_view>

namespace tektii::registry::aws {

using Profile = std::map<std::string, std::string>;  // settings in lower case
using Profiles = std::map<std::string, Profile>;

// One of the two files of the AWS tools. In the config file a profile's section is "[profile NAME]", but "[default]";
// in the credentials file "[NAME]". Settings that are indented belong to a service and are passed over. Pure; what is
// no setting is passed over as well, as the AWS tools do it.
Profiles parse_profiles(std::string_view text, bool is_config);

// Both files, $AWS_CONFIG_FILE or ~/.aws/config and $AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, which wins.
// Files that are not there hold nothing.
Profiles load_profiles(const EnvLookup& env);

}  // namespace tektii::registry::aws
