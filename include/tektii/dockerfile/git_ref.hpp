#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

// A git repository as ADD and build contexts name it: URL[#ref[:subdir]], or with the query form
// URL?ref=|tag=|branch=|subdir=|checksum=|commit=|keep-git-dir=|submodules=|mtime=|fetch-by-commit= (dockerfile 1.18).
struct GitRef {
  std::string remote;    // what git is given: "https://host/a.git", "git@host:a.git"; never begins with '-'
  std::string ref;       // branch, tag, commit or full reference ("refs/tags/v1"); empty: the HEAD of the remote
  std::string subdir;    // relative, cleaned; empty: the root
  std::string checksum;  // lower-case hex: the commit, or a prefix of it, that must come out; empty: any
  std::optional<bool> keep_git_dir;  // what the query says; ADD has a flag too, which must not say otherwise
  bool submodules = true;
  bool commit_times = false;     // mtime=commit: files get the time of the commit
  bool fetch_by_commit = false;  // the commit is `checksum` (or `ref`): nobody is asked what `ref` is now

  bool operator==(const GitRef&) const = default;
};

// nullopt when the text is no git reference. ADD takes "user@host:path", "ssh://", "git://" and http(s) URLs whose path
// ends in ".git"; a build context also bare "github.com/...". Throws Error{usage} for a git reference that is malformed
// (an unknown query key, a subdirectory that leaves the repository, ref and tag that disagree).
std::optional<GitRef> parse_git_ref(std::string_view text, bool is_context = false);

// A full commit id, SHA-1 or SHA-256, in lower case.
bool is_commit_id(std::string_view text);

}  // namespace tektii::dockerfile
