#include "command.hpp"

#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::exec {

namespace {

// What Docker puts into an environment without PATH.
constexpr std::string_view k_default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> candidates(const RunSpec& spec) {
  const std::string& program = spec.argv.front();
  if (program.find('/') != std::string::npos) return {program};
  std::string_view search = k_default_path;
  constexpr std::string_view k_name = "PATH=";
  for (const std::string& variable : spec.env) {
    if (variable.starts_with(k_name)) search = std::string_view(variable).substr(k_name.size());
  }
  std::vector<std::string> paths;
  for (const std::string& directory : split(search, ':')) {
    paths.push_back(directory.empty() ? program : directory + '/' + program);
  }
  return paths;
}

// The environment with the variables that hold secrets, each in the place of one of its name.
std::vector<std::string> whole_environment(const RunSpec& spec) {
  std::vector<std::string> env = spec.env;
  for (const SecretVariable& variable : spec.secret_env) {
    const std::string start = variable.name + "=";
    std::erase_if(env, [&](const std::string& entry) { return entry.starts_with(start); });
    env.push_back(start + variable.value.reveal());
  }
  return env;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (const std::string& string : strings) list.push_back(const_cast<char*>(string.c_str()));
  list.push_back(nullptr);
  return list;
}

std::string explain(const std::string& program, int error_number, bool loader_missing) {
  std::string reason = error_number == ENOENT ? "no such file or directory" : std::strerror(error_number);
  if (error_number == EACCES) reason = "permission denied";
  if (error_number == ENOEXEC) reason = "exec format error (a script needs a #! line)";
  if (loader_missing) reason += " (the file is there; its interpreter or dynamic loader is not)";
  return "exec " + program + ": " + reason + "\n";
}

}  // namespace

int execute_command(const RunSpec& spec) {
  const std::vector<char*> argv = pointers(spec.argv);
  const std::vector<std::string> environment = whole_environment(spec);
  const std::vector<char*> env = pointers(environment);
  int error_number = ENOENT;
  bool loader_missing = false;
  for (const std::string& path : candidates(spec)) {
    ::execve(path.c_str(), argv.data(), env.data());
    const int reason = errno;
    if (reason == ENOENT && ::access(path.c_str(), F_OK) == 0) loader_missing = true;
    // As execvp: go on behind files that are missing or may not be run, but remember that there was one.
    if (reason == ENOENT || reason == ENOTDIR) continue;
    error_number = reason;
    if (reason != EACCES) break;
  }
  const std::string message = explain(spec.argv.front(), error_number, loader_missing && error_number == ENOENT);
  // Whether the message arrives or not, the exit code tells.
  (void)!::write(STDERR_FILENO, message.data(), message.size());
  return error_number == ENOENT ? k_not_found : k_not_executable;
}

}  // namespace tektii::exec
