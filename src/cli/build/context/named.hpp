#pragma once

#include "loader.hpp"
#include <tektii/builder/request.hpp>

#include <map>
#include <string>
#include <vector>

namespace tektii::cli {

// The values of --build-context, by name: NAME=DIR, oci-layout://DIR[:TAG|@DIGEST], docker-image://REF, a git reference
// or the http(s) URL of a tar archive. What is on other machines is brought here. Throws Error{usage}.
std::map<std::string, builder::NamedContext> read_named_contexts(const std::vector<std::string>& given,
                                                                 ContextLoader& loader, const BuildSecrets& secrets);

}  // namespace tektii::cli
