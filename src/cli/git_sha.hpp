#pragma once

#include <tektii/util/clock.hpp>
#include <tektii/util/process.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tektii::cli {

struct GitSha {
  std::string text;       // 7 hex characters, or "ts-<unix seconds>"
  bool detected = false;  // false: the fallback was taken; `reason` says why
  std::string reason;
};

using ProcessRunner = std::function<ProcessResult(const std::vector<std::string>& argv)>;

// The commit that the directory is at, by the `git` program; outside a repository, without git or without a commit the
// fallback.
GitSha detect_git_sha(const std::filesystem::path& directory, const ProcessRunner& run, const Clock& clock);

// A value of --git-sha in the platform's form: 7 or more hex characters are cut to 7, "ts-<digits>" stays. Throws
// Error{usage} on anything else.
std::string normalise_git_sha(const std::string& text);

}  // namespace tektii::cli
