#pragma once

#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/secret.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::fetch {

// A failure that may be the mirror's own fault: it is worth another try with a new one. Kind failure.
class MirrorError : public Error {
 public:
  explicit MirrorError(Error error) : Error(std::move(error)) {}
};

// How git is run: see GitFetcher. One object per remote.
class GitCommand {
 public:
  // Credentials in the URL of an http remote go to git by its environment, unless there is another authorization.
  GitCommand(const std::string& remote, std::optional<Secret> authorization, bool allow_file, std::stop_token stop);

  // Without credentials: it becomes an argument, which everybody on the machine can read.
  const std::string& remote() const { return remote_; }
  const std::stop_token& stop() const { return stop_; }

  // A command that talks to the server, with the user's configuration. Its failure is a value.
  ProcessResult ask_server(const std::vector<std::string>& arguments) const;

  struct LocalOptions {
    std::optional<std::filesystem::path> cwd = std::nullopt;
    std::vector<std::string> extra_env = {};
    std::string stdin_text = {};
  };
  // A command on repositories of ours alone, without any configuration.
  ProcessResult run_local(const std::vector<std::string>& arguments, const LocalOptions& options) const;
  // The same; returns what it printed, and throws MirrorError with git's own words when it fails.
  std::string local(const std::vector<std::string>& arguments, const LocalOptions& options) const;
  std::string local(const std::vector<std::string>& arguments) const;

  // What a command's failure means, with a hint.
  Error explain(const ProcessResult& result, const std::string& what) const;

 private:
  ProcessResult run(std::vector<std::string> arguments, ProcessOptions options) const;
  std::vector<std::string> server_environment() const;
  std::optional<std::string> ssh_command() const;

  Secret given_remote_;  // with its credentials
  std::string remote_;
  std::string user_;  // of the URL, when it has no password: a credential helper may know it
  std::optional<Secret> authorization_;
  bool allow_file_;
  std::stop_token stop_;
};

// Whether the failure is of a kind that may go away.
bool may_pass(const ProcessResult& result);
bool says(const ProcessResult& result, std::string_view words);

}  // namespace tektii::fetch
