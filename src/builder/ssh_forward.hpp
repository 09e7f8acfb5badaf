#pragma once

#include <tektii/util/fd.hpp>

#include <sys/types.h>

#include <filesystem>
#include <memory>

namespace tektii::builder {

struct SocketOwner {
  mode_t mode = 0600;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Serves the ssh agent of this machine to a command at a socket of its own, whose owner the command may be. A command
// can list the keys and sign with them; it can't add, remove or lock any, as with BuildKit. Ends with the object.
class SshForward {
 public:
  // `agent` is the agent's socket; `socket` does not exist yet. Throws Error when the agent can't be reached.
  SshForward(std::filesystem::path agent, const std::filesystem::path& socket, const SocketOwner& owner);
  SshForward(const SshForward&) = delete;
  SshForward& operator=(const SshForward&) = delete;
  ~SshForward();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::builder
