#pragma once

#include <tektii/api/scenario_config.hpp>
#include <tektii/api/types.hpp>
#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/secret.hpp>

#include <memory>
#include <stop_token>
#include <string>

namespace tektii::api {

struct ClientOptions {
  std::string base_url;  // "https://api.tektii.com"; a trailing '/' or "/v1" is accepted
  Secret api_key;
};

// Both outlive the client.
struct ClientDeps {
  net::HttpTransport& transport;
  Clock& clock;
};

// The REST API of the platform, typed. Thread-safe.
//
// Every call throws Error: denied (401 "Invalid API key", 403), usage (400 and 422, with every field the server named),
// failure (404 with what was not found, 409), network (unreachable, 5xx, an answer that is not what the API gives).
// 429 and, for calls that may be repeated, 5xx and broken connections are tried again a few times; a call that creates
// something is repeated only when the connection never carried a response.
class Client {
 public:
  // Throws Error{usage} for a URL that is none, and Error{denied} for a missing key ("API key not found") or one that
  // can't be sent (white space or quotes in it). Any other form of key is for the server to judge.
  Client(ClientOptions options, ClientDeps deps);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) = delete;

  Answer<Strategy> create_strategy(const std::string& name, const std::stop_token& stop);
  Answer<Page<Strategy>> list_strategies(const ListRequest& request, const std::stop_token& stop);
  Answer<Strategy> get_strategy(const std::string& strategy, const std::stop_token& stop);

  // The answer's json holds the access token: it must not be printed.
  Answer<VersionUpload> create_version(const std::string& strategy, const VersionRequest& request,
                                       const std::stop_token& stop);
  Answer<Page<Version>> list_versions(const std::string& strategy, const ListRequest& request,
                                      const std::stop_token& stop);
  Answer<Version> get_version(const std::string& strategy, const std::string& version, const std::stop_token& stop);
  // Tells the platform that the image of a version is in its registry. False when the platform has no such call (404 or
  // 405), which is not an error.
  bool confirm_version(const std::string& strategy, const std::string& version, const std::stop_token& stop);

  Answer<Scenario> create_scenario(const std::string& strategy, const ScenarioConfig& config,
                                   const std::stop_token& stop);
  Answer<Page<Scenario>> list_scenarios(const std::string& strategy, const ListRequest& request,
                                        const std::stop_token& stop);
  Answer<Scenario> get_scenario(const std::string& strategy, const std::string& scenario, const std::stop_token& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::api
