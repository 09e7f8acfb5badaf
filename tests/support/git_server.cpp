#include "support/git_server.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <stdexcept>

namespace tektii::testing {

namespace fs = std::filesystem;

std::string run_git(const fs::path& directory, const std::vector<std::string>& arguments,
                    const std::vector<std::string>& extra_env) {
  std::vector<std::string> argv = {"git",
                                   "-c",
                                   "user.name=a",
                                   "-c",
                                   "user.email=b",
                                   "-c",
                                   "protocol.file.allow=always",
                                   "-c",
                                   "commit.gpgSign=false"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  ProcessOptions options;
  options.cwd = directory;
  options.extra_env = {"GIT_COMMITTER_DATE=2024-02-03T04:05:06Z", "GIT_AUTHOR_DATE=2024-01-01T00:00:00Z",
                       "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"};
  options.extra_env.insert(options.extra_env.end(), extra_env.begin(), extra_env.end());
  const auto result = run_process(argv, options);
  if (result.exit_code != 0) throw std::runtime_error(join(arguments, " ") + ": " + result.err);
  return std::string(trim(result.out));
}

GitServer::GitServer(bool dumb) : dumb_(dumb), server_([this](const ServerRequest& r) { return answer(r); }) {}

fs::path GitServer::create(const std::string& name, const std::vector<std::string>& init_options) {
  const auto path = repository(name);
  make_directories(path);
  std::vector<std::string> arguments = {"init", "-q", "-b", "main"};
  arguments.insert(arguments.end(), init_options.begin(), init_options.end());
  run_git(path, arguments);
  return path;
}

std::string GitServer::commit(const std::string& name, const std::map<std::string, std::string>& files,
                              const std::string& message) {
  const auto path = repository(name);
  for (const auto& [file, text] : files) {
    make_directories((path / file).parent_path());
    write_file_atomic(path / file, text);
  }
  run_git(path, {"add", "-A"});
  run_git(path, {"commit", "-q", "--allow-empty", "-m", message});
  if (dumb_) run_git(path, {"update-server-info"});
  return run_git(path, {"rev-parse", "HEAD"});
}

ServerResponse GitServer::answer(const ServerRequest& request) const {
  const std::string required = authorization_.get();
  if (!required.empty() && request.header("Authorization") != required) {
    return {401, {{"WWW-Authenticate", "Basic realm=\"git\""}}, "no"};
  }
  return dumb_ ? send_file(request) : run_backend(request);
}

ServerResponse GitServer::send_file(const ServerRequest& request) const {
  const auto path = root_.path() / request.path().substr(1);
  if (!fs::is_regular_file(path)) return {404, {}, "not found"};
  return {200, {}, read_file(path)};
}

ServerResponse GitServer::run_backend(const ServerRequest& request) const {
  const auto question = request.target.find('?');
  ProcessOptions options;
  options.stdin_text = request.body;
  options.output_limit = 1U << 28;
  options.extra_env = {"GIT_PROJECT_ROOT=" + root_.path().string(),
                       "GIT_HTTP_EXPORT_ALL=1",
                       "REQUEST_METHOD=" + request.method,
                       "PATH_INFO=" + request.path(),
                       "QUERY_STRING=" + (question == std::string::npos ? "" : request.target.substr(question + 1)),
                       "CONTENT_TYPE=" + request.header("Content-Type").value_or(""),
                       "CONTENT_LENGTH=" + std::to_string(request.body.size()),
                       "HTTP_CONTENT_ENCODING=" + request.header("Content-Encoding").value_or(""),
                       "GIT_PROTOCOL=" + request.header("Git-Protocol").value_or("")};
  const auto result = run_process({"git", "http-backend"}, options);
  ServerResponse response;
  const auto end = result.out.find("\r\n\r\n");
  if (end == std::string::npos) return {500, {}, result.err};
  for (const auto& line : split(result.out.substr(0, end), '\n')) {
    const auto colon = line.find(':');
    const std::string name(trim(line.substr(0, colon)));
    const std::string value(trim(line.substr(colon + 1)));
    if (name == "Status") {
      response.status = static_cast<int>(parse_int(value.substr(0, 3)).value_or(500));
    } else {
      response.headers.emplace_back(name, value);
    }
  }
  response.body = result.out.substr(end + 4);
  return response;
}

}  // namespace tektii::testing
