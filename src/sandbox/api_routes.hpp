#pragma once

#include "sandbox/http.hpp"
#include "sandbox/platform.hpp"
#include "sandbox/token_service.hpp"
#include <tektii/util/secret.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tektii::sandbox {

// Everything that the routes need; all outlive them.
struct ApiDeps {
  Platform& platform;
  TokenService& tokens;
  Secret api_key;
  std::function<std::string()> authority;  // "127.0.0.1:34567", of the registry
  // Puts an image for a platform template into the registry, under the version's reference.
  std::function<void(const Version& version)> publish_template;
};

// The REST API below /v1. Thread-safe.
class ApiRoutes {
 public:
  explicit ApiRoutes(ApiDeps deps) : deps_(std::move(deps)) {}

  HttpReply handle(HttpRequest& request) const;

 private:
  using Segments = std::vector<std::string>;

  HttpReply handle_strategies(HttpRequest& request) const;
  HttpReply handle_versions(HttpRequest& request, const Strategy& strategy, const Segments& segments) const;
  HttpReply handle_scenarios(HttpRequest& request, const Strategy& strategy, const Segments& segments) const;

  HttpReply create_strategy(HttpRequest& request) const;
  HttpReply create_version(HttpRequest& request, const Strategy& strategy) const;
  HttpReply confirm_version(const Strategy& strategy, const std::string& id) const;
  HttpReply create_scenario(HttpRequest& request, const Strategy& strategy) const;
  HttpReply cancel_scenario(const Strategy& strategy, const std::string& id) const;
  HttpReply get_results(const Scenario& scenario, const std::string& type) const;

  std::string image_reference(const Version& version) const;

  ApiDeps deps_;
};

}  // namespace tektii::sandbox
