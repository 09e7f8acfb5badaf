#pragma once

#include <tektii/net/retry.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/secret.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::fetch {

struct GitSource {
  std::string remote;            // http(s)://, ssh://, git:// or user@host:path
  std::string ref;               // branch, tag, full commit id or full reference; empty: the HEAD of the remote
  std::string subdir;            // relative, clean; empty: the root
  std::string checksum;          // lower-case hex: the beginning of the commit's id (or the tag object's); empty: any
  bool keep_git_dir = false;     // of the root alone, as in BuildKit: not together with a subdirectory
  bool submodules = true;        // with their own, recursively; those outside of `subdir` are left alone
  bool fetch_by_commit = false;  // `checksum` (or `ref`) is the whole id of the commit; `ref` is not asked about
  std::optional<Secret> authorization;  // of the Authorization header, sent to the remote's own host
};

struct GitCheckout {
  std::filesystem::path directory;  // the subdirectory, if one was named; inside a private temporary directory
  std::string commit;               // 40 or 64 hex characters
  std::int64_t commit_time = 0;     // of the committer, seconds since 1970
};

struct GitFetcherOptions {
  // Bare repositories, one per remote, so that a second build fetches only what is new. Safe for several processes.
  std::filesystem::path mirrors;
  // A path for a directory of ours, not handed out before; its parent exists. What is made there is the caller's to
  // remove, also after an error.
  std::function<std::filesystem::path(std::string_view prefix)> temp_name;
  // Told the directory of a mirror before it is used; false: it is gone and has to be made again. May be empty.
  std::function<bool(const std::filesystem::path& mirror)> take_into_use = {};
  bool allow_file = false;  // also file:// (for tests: it would let a Dockerfile read repositories of this machine)
};

// Takes commits from remote repositories through the `git` program. Thread-safe.
//
// git is run without a shell and never asks. Commands that talk to a server see the user's and the system's
// configuration (not that of a repository we are in), because that is where credentials, proxies and certificates are
// named; commands that write files see none, so that what comes out
// depends on the commit alone. Hooks, file system monitors and filters never run, whoever names them; files of Git LFS
// stay the pointers that the commit holds. A host key that ssh does not know is refused: nobody could be asked.
class GitFetcher {
 public:
  // The clock outlives the fetcher.
  GitFetcher(GitFetcherOptions options, Clock& clock, net::RetryPolicy retry = {})
      : options_(std::move(options)), clock_(clock), retry_(retry) {}

  // Files are 0644 or 0755, directories 0755, times those of the commit; nothing depends on the umask. Throws
  // Error{failure} when git is missing, the reference is not there (with names that are near) or the commit is not the
  // one of the checksum, Error{denied} for credentials and host keys, Error{network} when the server can't be reached.
  GitCheckout checkout(const GitSource& source, const std::stop_token& stop);

 private:
  GitFetcherOptions options_;
  Clock& clock_;
  net::RetryPolicy retry_;
};

}  // namespace tektii::fetch
