#pragma once

#include "ssh_agent.hpp"
#include <tektii/builder/request.hpp>

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tektii::cli {

// The options about what a RUN gets beside its files, as they were given; flag names and forms are those of docker
// buildx build.
struct RunOptions {
  std::vector<std::string> secrets;  // id=ID[,src=FILE|,env=NAME][,type=file|env]
  std::vector<std::string> ssh;      // default, or ID[=SOCKET|KEY[,KEY]]
  std::vector<std::string> allow;
  std::vector<std::string> ulimits;    // NAME=SOFT[:HARD]
  std::vector<std::string> add_hosts;  // NAME:ADDRESS or NAME=ADDRESS
  std::string network = "default";
  std::string shm_size;
  std::string snapshotter = "auto";  // auto, overlayfs, copy
};

void add_run_options(CLI::App& command, RunOptions& options);

// Agents that were started for keys; they end with it.
using StartedAgents = std::vector<std::shared_ptr<SshAgent>>;

// Checks the options and puts what they say into the request. Throws Error{usage}; secret values are not read yet, but
// their files must be there.
StartedAgents read_run_options(const RunOptions& options, builder::BuildRequest& request);

}  // namespace tektii::cli
