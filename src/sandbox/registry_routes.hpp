#pragma once

#include "sandbox/blob_routes.hpp"
#include "sandbox/http.hpp"
#include "sandbox/manifest_routes.hpp"
#include "sandbox/repository_store.hpp"
#include "sandbox/token_service.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace tektii::sandbox {

// All outlive the routes.
struct RegistryDeps {
  BlobRoutes& blobs;
  ManifestRoutes& manifests;
  RepositoryStore& repositories;
  TokenService& tokens;
  std::function<std::string()> authority;  // "127.0.0.1:34567", for the realm
};

// The registry below /v2: paths, authorisation (distribution's token protocol), lists. Thread-safe.
class RegistryRoutes {
 public:
  explicit RegistryRoutes(RegistryDeps deps) : deps_(std::move(deps)) {}

  HttpReply handle(HttpRequest& request) const;

 private:
  HttpReply handle_token(HttpRequest& request) const;
  HttpReply handle_repository(HttpRequest& request) const;
  HttpReply list_tags(const HttpRequest& request, const std::string& name) const;
  HttpReply list_repositories(const HttpRequest& request) const;
  HttpReply challenge(Access access, const std::string& scope) const;

  RegistryDeps deps_;
};

}  // namespace tektii::sandbox
