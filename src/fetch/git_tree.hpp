#pragma once

#include "fetch/git_mirror.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tektii::fetch {

struct Submodule {
  std::string path;  // in the repository that names it
  std::string url;   // as .gitmodules has it
  std::string commit;
};

// Writes the files of a commit into an empty directory; submodules become empty directories.
void write_files(const GitCommand& git, const GitMirror& mirror, const std::string& commit,
                 const std::filesystem::path& directory, const std::filesystem::path& index);

// The submodules of a commit that `git submodule update` would bring. Throws Error{failure} for one without a URL.
std::vector<Submodule> list_submodules(const GitCommand& git, const GitMirror& mirror, const std::string& commit);

// Seconds since 1970, of the committer.
std::int64_t commit_time_of(const GitCommand& git, const GitMirror& mirror, const std::string& commit);

// Makes `directory`/.git: a shallow repository with this commit checked out, whose bytes depend on the commit and the
// version of git alone (no times, no inode numbers, one order of objects).
void write_git_directory(const GitCommand& git, const GitMirror& mirror, const GitRevision& revision,
                         const std::string& commit, const std::filesystem::path& directory);

// Files 0644 or 0755, directories 0755, all times `time`.
void normalise_tree(const std::filesystem::path& directory, std::int64_t time);

}  // namespace tektii::fetch
