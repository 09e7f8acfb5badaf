#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tektii::builder {

// One RUN --mount with its values expanded and read, and BuildKit's defaults filled in.
struct RunMount {
  enum class Kind { bind, cache, tmpfs, secret, ssh };
  enum class Sharing { shared, exclusive_copy, locked };

  Kind kind = Kind::bind;
  std::string target;               // absolute and clean; empty for a secret that is a variable alone
  std::optional<std::string> from;  // of bind and cache; a bind without one is from the context
  std::string source;               // of bind and cache: clean, relative; "" is the root
  bool read_only = false;
  std::string id;  // of cache, secret and ssh
  Sharing sharing = Sharing::shared;
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<std::uint64_t> size;  // of tmpfs, in bytes
  bool required = false;
  std::optional<std::string> env;  // of secret: the name of the variable
};

// `ssh_number` counts the ssh mounts of the RUN: each has a socket of its own. Targets of bind, cache and tmpfs are
// relative to the working directory, those of secret and ssh to "/". Throws Error{usage}; the caller adds the span.
RunMount to_run_mount(const dockerfile::MountFlag& expanded, const std::string& working_dir, int ssh_number);

}  // namespace tektii::builder
