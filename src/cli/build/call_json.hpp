#pragma once

#include <tektii/builder/lint.hpp>
#include <tektii/dockerfile/outline.hpp>

#include <string>
#include <vector>

namespace tektii::cli {

// The results of --check and --call as JSON, in the shape of buildx's (frontend/subrequests); lines are 1-based, one
// range for each, and sources are in base64. End with a line end.

// {"warnings": [{"ruleName", "description", "detail", "location"}], "sources": [...]}, and "buildError" when the file
// would not build.
std::string check_json(const builder::DockerfileCheck& check, const builder::BuildRequest& request);
std::string outline_json(const dockerfile::Outline& outline, const builder::BuildRequest& request);
std::string targets_json(const std::vector<dockerfile::OutlineTarget>& targets, const builder::BuildRequest& request);

}  // namespace tektii::cli
