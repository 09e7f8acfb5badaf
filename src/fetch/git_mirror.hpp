#pragma once

#include "fetch/git_command.hpp"
#include <tektii/net/retry.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/file_lock.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::fetch {

// A reference of the remote, or a commit.
struct GitRevision {
  std::string name;    // "refs/heads/main", "HEAD"; empty: known by its id alone
  std::string object;  // id of the commit, or of the tag object that names it
};

// A bare repository with those commits of one remote that builds asked for, shallow. It is locked as long as the object
// lives: one process at a time fetches from a remote and checks out of it.
class GitMirror {
 public:
  // `directory` is the mirror's own. Waits for the lock; a stop ends that. `temp_name` as in GitFetcherOptions, on the
  // same file system.
  GitMirror(const GitCommand& git, std::filesystem::path directory,
            std::function<std::filesystem::path(std::string_view)> temp_name, Clock& clock, net::RetryPolicy retry);

  // What the remote has under a name (empty: its HEAD); BuildKit's order: the full name, a branch, a tag. Throws
  // Error{failure} with names that are near when there is none.
  GitRevision resolve(const std::string& ref);
  // Brings a revision here unless it is; returns the id of the object that it is now. Throws MirrorError when it is not
  // the remote that fails.
  std::string fetch(const GitRevision& revision);

  // The commit that an object is or, as a tag, names; nullopt when it is not here.
  std::optional<std::string> commit_of(const std::string& object) const;
  // "--git-dir=...", the first argument of a command on it.
  std::string git_dir_argument() const;
  // Throws away what is here, to begin anew.
  void reset() const;

 private:
  void lock();
  void open(const std::string& object_id);
  void remove_stale_locks() const;
  ProcessResult ask(const std::vector<std::string>& arguments) const;
  ProcessResult fetch_into(std::vector<std::string> arguments, bool shallow);
  void fetch_named(const GitRevision& revision);
  void fetch_commit(const std::string& id);
  void fetch_everything(const std::string& id);
  [[noreturn]] void fail_fetch(const ProcessResult& result, const std::string& what) const;
  [[noreturn]] void fail_unknown_ref(const std::string& ref);

  const GitCommand& git_;
  std::filesystem::path directory_;
  std::filesystem::path repository_;  // empty until it is known which hash the remote uses
  std::function<std::filesystem::path(std::string_view)> temp_name_;
  Clock& clock_;
  net::RetryPolicy retry_;
  std::optional<FileLock> lock_;
};

}  // namespace tektii::fetch
