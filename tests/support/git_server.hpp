#pragma once

#include "support/guarded.hpp"
#include "support/http_server.hpp"
#include <tektii/util/file.hpp>

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tektii::testing {

// Runs git in a directory with an author and a committer of fixed times; returns what it printed, without the line end.
std::string run_git(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                    const std::vector<std::string>& extra_env = {});

// Repositories served over http by `git http-backend`, or as plain files ("dumb http").
class GitServer {
 public:
  explicit GitServer(bool dumb = false);

  // A new repository with a work tree: URL is server.url("/NAME"). Commit into `repository(name)`.
  std::filesystem::path create(const std::string& name, const std::vector<std::string>& init_options = {});
  std::filesystem::path repository(const std::string& name) const { return root_.path() / name; }
  // Writes files, commits everything and returns the id.
  std::string commit(const std::string& name, const std::map<std::string, std::string>& files,
                     const std::string& message = "change");

  std::string url(const std::string& name) const { return server_.url("/" + name + "/.git"); }
  HttpServer& http() { return server_; }
  // What every request must carry from now on in its Authorization header; 401 otherwise.
  void require(std::string authorization) { authorization_ = std::move(authorization); }

 private:
  ServerResponse answer(const ServerRequest& request) const;
  ServerResponse run_backend(const ServerRequest& request) const;
  ServerResponse send_file(const ServerRequest& request) const;

  TempDir root_;
  bool dumb_;
  Guarded<std::string> authorization_;
  HttpServer server_;
};

}  // namespace tektii::testing
