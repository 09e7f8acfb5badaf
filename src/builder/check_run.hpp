#pragma once

#include "plan.hpp"
#include "problems.hpp"
#include "variables.hpp"

#include <functional>
#include <optional>
#include <string>

namespace tektii::builder {

// "none", "host" or "default": a RUN that names a network decides itself, others take that of the request.
std::string run_network(const dockerfile::Run& run, const BuildRequest& request);

// Where a mount stands: a value of it that tells it from the others, or the flag.
SourceSpan mount_span(const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction,
                      const dockerfile::MountFlag& mount);

struct RunCheck {
  const Plan& plan;
  const BuildRequest& request;
  const BuildDeps& deps;
  int stage = 0;
  const Variables& variables;
  // Throws when the context, or the directory that `from` names, does not have a path.
  std::function<void(const std::optional<std::string>& from, const std::string& path)> require_source;
};

// Adds everything that is wrong with a RUN as far as it can be known before its stage is built: its mounts and what
// they name, secrets and agents that are required and not given, entitlements, and whether this machine can run it.
void check_run(const RunCheck& check, const dockerfile::Instruction& instruction, const dockerfile::Run& run,
               Problems& problems);

}  // namespace tektii::builder
