#include "cli/git_command.hpp"

namespace tektii::cli {

std::vector<std::string> git_command(const std::filesystem::path& directory,
                                     const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"git",
                                   "-c",
                                   "safe.directory=*",
                                   "-c",
                                   "core.fsmonitor=false",
                                   "-c",
                                   "protocol.allow=never",
                                   "-C",
                                   directory.string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace tektii::cli
