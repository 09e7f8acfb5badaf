#pragma once

#include "support/http_server.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace tektii::testing {

// An OCI registry in memory with a token server, for tests that need to see every request and to bend some answers. The
// content of what is pushed is checked as a real registry would.
class FakeRegistry {
 public:
  enum class Auth { none, basic, bearer };

  struct Options {
    Auth auth = Auth::none;
    std::string username = "bob";
    std::string password = "s3cret:with:colons";
    bool anonymous_tokens = false;  // the token server also answers without credentials
    bool supports_mount = true;
    std::string token_body = {};  // what the token server says instead of a fresh {"token": ...}
  };
  // An answer ends the request there; nullopt lets the registry handle it. Called with every request, also for tokens.
  using Intercept = std::function<std::optional<ServerResponse>(const ServerRequest&)>;

  FakeRegistry() : FakeRegistry(Options{}) {}
  explicit FakeRegistry(Options options);

  HttpServer& server() { return server_; }
  std::string name() const { return server_.host_port(); }
  void set_intercept(Intercept intercept);

  // Stores content without a request; returns its digest.
  std::string add_blob(const std::string& repository, const std::string& content);
  std::string add_manifest(const std::string& repository, const std::string& tag, const std::string& media_type,
                           const std::string& content);
  bool has_blob(const std::string& repository, const std::string& digest) const;
  // The manifest's content under a tag or digest; empty when there is none.
  std::string manifest(const std::string& repository, const std::string& reference) const;
  // Tokens handed out so far are no longer accepted.
  void revoke_tokens();
  int tokens_issued() const { return tokens_issued_; }

 private:
  struct StoredManifest {
    std::string media_type;
    std::string content;
  };

  ServerResponse handle(const ServerRequest& request);
  ServerResponse handle_token(const ServerRequest& request);
  std::optional<ServerResponse> check_auth(const ServerRequest& request);
  ServerResponse handle_blob(const ServerRequest& request, const std::string& repository, const std::string& digest);
  ServerResponse handle_manifest(const ServerRequest& request, const std::string& repository,
                                 const std::string& reference);
  ServerResponse start_upload(const ServerRequest& request, const std::string& repository);
  ServerResponse finish_upload(const ServerRequest& request, const std::string& repository, const std::string& id);

  Options options_;
  mutable std::mutex mutex_;
  Intercept intercept_;
  std::map<std::string, std::map<std::string, std::string>> blobs_;         // repository, digest
  std::map<std::string, std::map<std::string, StoredManifest>> manifests_;  // repository, tag or digest
  std::set<std::string> uploads_;
  std::map<std::string, std::string> tokens_;  // token, its scopes
  int next_upload_ = 0;
  std::atomic<int> tokens_issued_{0};
  HttpServer server_;  // last: its threads use all of the above
};

}  // namespace tektii::testing
