#pragma once

#include <tektii/builder/lint.hpp>
#include <tektii/dockerfile/outline.hpp>

#include <string>
#include <vector>

namespace tektii::cli {

// What `tektii build --check` and --call print for the eye; control characters are escaped.

// Every warning with its rule, what to do, and the lines of the file that it is about.
std::string check_text(const builder::DockerfileCheck& check);
// What the user should know about the check itself: bases that could not be looked up, options that are ignored.
std::vector<std::string> check_remarks(const builder::DockerfileCheck& check);

std::string outline_text(const dockerfile::Outline& outline);
std::string targets_text(const std::vector<dockerfile::OutlineTarget>& targets);

// The warnings of a build at its end, a line each; empty when there are none. No line end at the end.
std::string warnings_summary(const std::vector<dockerfile::LintWarning>& warnings);

}  // namespace tektii::cli
