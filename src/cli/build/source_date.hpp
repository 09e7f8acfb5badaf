#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace tektii::cli {

// The times of a build (docs/reproducible.md), in seconds since 1970.
struct BuildTimes {
  std::int64_t files = 0;    // of what is in the layers, and SOURCE_DATE_EPOCH of RUN
  std::int64_t created = 0;  // of the image and its history
};

// nullopt for a time before 1970 or after 2242: what commits, archives and servers say may be any number.
std::optional<std::int64_t> possible_time(std::optional<std::int64_t> time);

// Both are the first of: --timestamps EPOCH, --build-arg SOURCE_DATE_EPOCH, the environment's SOURCE_DATE_EPOCH.
// Without any, `created` is the time of the commit that the context is (a git URL) or is in (a directory), and files
// get 1980-01-01 (the oldest time that zip archives can hold), as the image does without a commit: with the commit's
// time in the layers each commit would run every step again. A time that is not possible counts as none.
BuildTimes find_build_times(const std::string& timestamps, const std::map<std::string, std::string>& build_args,
                            std::optional<std::int64_t> commit_time);

// The committer's time of the git HEAD that a directory is in; nullopt outside of a repository, or without git.
std::optional<std::int64_t> local_commit_time(const std::filesystem::path& directory);

}  // namespace tektii::cli
