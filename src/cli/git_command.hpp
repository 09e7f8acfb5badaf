#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tektii::cli {

// The command line of a git plumbing command in a directory. The checkout may belong to another user (in CI containers
// it mostly does), so git's check of the owner is off; in return only commands that carry out nothing the repository's
// configuration names may be run by it (no log: it starts gpg.program; no status: it starts core.fsmonitor), and
// fetching missing objects is off.
std::vector<std::string> git_command(const std::filesystem::path& directory, const std::vector<std::string>& arguments);

}  // namespace tektii::cli
