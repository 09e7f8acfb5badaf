#pragma once

#include "copy_source.hpp"
#include <tektii/builder/attestations.hpp>
#include <tektii/builder/progress.hpp>
#include <tektii/builder/remote.hpp>
#include <tektii/builder/request.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::builder {

// What a source word of ADD names.
struct AddReference {
  enum class Kind { path, url, git };
  Kind kind = Kind::path;
  dockerfile::GitRef git;  // Kind::git
};

// Throws Error{usage} for a URL or a git reference that is malformed.
AddReference parse_add_reference(std::string_view word);

// Throws Error{usage} for what only ADD takes, and for a --checksum of a path; `has_checksum` when there is one.
void check_takes_remote(const AddReference& reference, bool is_add);
void check_takes_checksum(const AddReference& reference, bool has_checksum);

// Applies --keep-git-dir and --checksum to a git reference; throws Error{usage} when its query says otherwise, or when
// the checksum is no commit or start of one.
void apply_git_flags(dockerfile::GitRef& reference, std::optional<bool> keep_git_dir,
                     const std::optional<std::string>& checksum);
// The digest of --checksum for a file. Throws Error{usage}.
oci::Digest parse_file_checksum(const std::string& checksum);

// The last part of the URL's path, decoded; "__unnamed__" when there is none.
std::string file_name_of_url(std::string_view url);

// The URL as it may be shown: without user and password.
std::string without_credentials(std::string_view url);

// How files are fetched and become entries of an image. What it refers to outlives the sources.
struct RemoteRules {
  RemoteSources& remote;
  ProgressSink& progress;
  std::int64_t epoch = 0;       // files without a time of their own get it
  bool preserve_times = false;  // else times later than the epoch become it
  std::stop_token stop = {};
  MaterialLog* materials = nullptr;  // told what was taken
};

// A file, mode 0600, with the time that its server tells, or with a checksum the epoch; visited under any name. Nothing
// is fetched before it is asked for, and with a checksum not even for the key of the step.
std::unique_ptr<CopySource> make_url_source(const RemoteRules& rules, RemoteFileRequest request);

// The tree of a commit: 0644, or 0755 for directories and files that may be executed. Known by its commit, so with a
// whole commit id nothing is fetched for the key of the step.
std::unique_ptr<CopySource> make_git_source(const RemoteRules& rules, dockerfile::GitRef reference);

}  // namespace tektii::builder
