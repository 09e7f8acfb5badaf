#pragma once

#include <tektii/api/scenario_config.hpp>
#include <tektii/api/types.hpp>
#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/secret.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::api {

struct ClientOptions {
  std::string base_url;  // "https://api.tektii.com"; a trailing '/' or "/v1" is accepted
  Secret api_key;
  bool anonymous = false;  // no key is needed or sent: for the calls that take none
};

// Both outlive the client.
struct ClientDeps {
  net::HttpTransport& transport;
  Clock& clock;
};

struct RawCall {
  std::string method = "GET";
  std::string path;
  std::string body;  // JSON; empty for none
};

// Told now and then how many bytes have come and, when the server says so, of how many.
using DownloadProgress = std::function<void(std::uint64_t received, std::optional<std::uint64_t> total)>;

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
  // Asks the platform to end a run; the answer is the scenario as it is then. 409 when it has ended already.
  Answer<Scenario> cancel_scenario(const std::string& strategy, const std::string& scenario,
                                   const std::stop_token& stop);
  // Streams the document as the platform gives it. A connection that breaks is gone on with where it broke, when the
  // server says by its ETag or Last-Modified that it still has the same document, and started anew before that; the
  // sink sees every byte once. Does not call sink.finish().
  void download_results(const std::string& strategy, const std::string& scenario, ResultType type, ByteSink& sink,
                        const DownloadProgress& progress, const std::stop_token& stop);

  // Needs no key.
  Answer<Page<Instrument>> list_instruments(const InstrumentFilter& filter, const std::stop_token& stop);

  // A call that this client does not know: `path` begins with '/', relative to the base URL ("/v1/..."). The body of
  // the 2xx answer. Only GET and HEAD are sent again after a failure.
  std::string call(const RawCall& call, const std::stop_token& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One document out of the pages of a list, in the form of the first, with all items and without a cursor. `name` is
// that of the list ("strategies"). A single page stays as it is.
std::string merge_pages(const std::vector<std::string>& answers, const std::string& name);

}  // namespace tektii::api
