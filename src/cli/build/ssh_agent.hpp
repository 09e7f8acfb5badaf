#pragma once

#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace tektii::cli {

// An ssh-agent of this machine (OpenSSH) that holds given keys. It ends with the object, and within seconds after this
// process has ended in any other way.
class SshAgent {
 public:
  // Throws Error when the programs are missing, or when a key can't be read, is none, or has a passphrase.
  explicit SshAgent(const std::vector<std::filesystem::path>& keys);
  SshAgent(const SshAgent&) = delete;
  SshAgent& operator=(const SshAgent&) = delete;
  ~SshAgent();

  std::filesystem::path socket() const { return directory_.path() / "agent"; }

 private:
  void start();
  void add(const std::filesystem::path& key) const;
  void end();

  TempDir directory_;
  UniqueFd keep_alive_;  // its other end is the input of the process that the agent watches
  pid_t child_ = -1;     // that process
  pid_t agent_ = -1;
};

}  // namespace tektii::cli
