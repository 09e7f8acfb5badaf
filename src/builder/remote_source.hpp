#pragma once

#include "copy_source.hpp"
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

// Throws Error{usage} for a git reference that is malformed.
AddReference parse_add_reference(std::string_view word);

// Applies --keep-git-dir and --checksum to a git reference; throws Error{usage} when its query says otherwise, or when
// the checksum is no commit or start of one.
void apply_git_flags(dockerfile::GitRef& reference, std::optional<bool> keep_git_dir,
                     const std::optional<std::string>& checksum);
// The digest of --checksum for a file. Throws Error{usage}.
oci::Digest parse_file_checksum(const std::string& checksum);

// The last part of the URL's path, decoded; "__unnamed__" when there is none.
std::string file_name_of_url(std::string_view url);

// The Authorization header for a URL from the secrets HTTP_AUTH_TOKEN_<host> (a bearer token) and
// HTTP_AUTH_HEADER_<host> (the header's value), the host without its port; nullopt when there is neither.
std::optional<Secret> authorization_of_url(const BuildRequest& request, std::string_view url);

// How fetched files become entries of an image.
struct RemoteRules {
  std::int64_t epoch = 0;       // files without a time of their own get it
  bool preserve_times = false;  // else times later than the epoch become it
};

// A file, mode 0600, with the time that its server tells; visited under any name. Nothing is fetched before it is asked
// for, and with a checksum not even for the key of the step.
std::unique_ptr<CopySource> make_url_source(RemoteSources& remote, RemoteFileRequest request, RemoteRules rules,
                                            std::stop_token stop);

// The tree of a commit: 0644, or 0755 for directories and files that may be executed. Known by its commit, so with a
// whole commit id nothing is fetched for the key of the step.
std::unique_ptr<CopySource> make_git_source(RemoteSources& remote, dockerfile::GitRef reference, RemoteRules rules,
                                            std::stop_token stop);

}  // namespace tektii::builder
