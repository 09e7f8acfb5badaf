#include "api/endpoints.hpp"

#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace tektii::api {

namespace {

// The only place that knows the paths of the API.
constexpr std::string_view k_strategy = "strategy {strategy}";
constexpr std::string_view k_version = "version {version} of strategy {strategy}";
constexpr std::string_view k_scenario = "scenario {scenario} of strategy {strategy}";

constexpr std::array k_endpoints = {
    EndpointRow{Endpoint::create_strategy, "POST", "/v1/strategies", "", false},
    EndpointRow{Endpoint::list_strategies, "GET", "/v1/strategies", "", true},
    EndpointRow{Endpoint::get_strategy, "GET", "/v1/strategies/{strategy}", k_strategy, true},
    EndpointRow{Endpoint::create_version, "POST", "/v1/strategies/{strategy}/versions", k_strategy, false},
    EndpointRow{Endpoint::list_versions, "GET", "/v1/strategies/{strategy}/versions", k_strategy, true},
    EndpointRow{Endpoint::get_version, "GET", "/v1/strategies/{strategy}/versions/{version}", k_version, true},
    EndpointRow{Endpoint::confirm_version, "POST", "/v1/strategies/{strategy}/versions/{version}/confirm", k_version,
                true},
    EndpointRow{Endpoint::create_scenario, "POST", "/v1/strategies/{strategy}/scenarios", k_strategy, false},
    EndpointRow{Endpoint::list_scenarios, "GET", "/v1/strategies/{strategy}/scenarios", k_strategy, true},
    EndpointRow{Endpoint::get_scenario, "GET", "/v1/strategies/{strategy}/scenarios/{scenario}", k_scenario, true},
    EndpointRow{Endpoint::cancel_scenario, "POST", "/v1/strategies/{strategy}/scenarios/{scenario}/cancel", k_scenario,
                false},
    EndpointRow{Endpoint::get_results, "GET", "/v1/strategies/{strategy}/scenarios/{scenario}/results/{type}",
                "{type} of scenario {scenario}", true},
    EndpointRow{Endpoint::list_instruments, "GET", "/v1/instruments", "", true},
};

// An id is opaque, but it has to stay one segment of the path.
std::string path_segment(std::string_view name, const std::string& id) {
  if (id.empty() || id == "." || id == "..") {
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is not a {} id", id, name));
  }
  return net::percent_encode(id);
}

const std::string& parameter(const PathParameters& parameters, std::string_view name) {
  if (name == "strategy") return parameters.strategy;
  if (name == "version") return parameters.version;
  return name == "type" ? parameters.type : parameters.scenario;
}

using Rewrite = std::function<std::string(std::string_view name, const std::string& value)>;

std::string fill(std::string_view pattern, const PathParameters& parameters, const Rewrite& rewrite) {
  std::string out;
  while (!pattern.empty()) {
    const std::size_t open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = pattern.find('}', open);
    const std::string_view name = pattern.substr(open + 1, close - open - 1);
    out += rewrite(name, parameter(parameters, name));
    pattern.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

const EndpointRow& row_of(Endpoint endpoint) {
  return *std::find_if(k_endpoints.begin(), k_endpoints.end(),
                       [&](const EndpointRow& row) { return row.endpoint == endpoint; });
}

std::string target_of(Endpoint endpoint, const PathParameters& parameters, const Query& query) {
  std::string target = fill(row_of(endpoint).path, parameters, path_segment);
  char separator = '?';
  for (const auto& entry : query) {
    target += fmt::format("{}{}={}", separator, net::percent_encode(entry.first), net::percent_encode(entry.second));
    separator = '&';
  }
  return target;
}

std::string subject_of(Endpoint endpoint, const PathParameters& parameters) {
  return fill(row_of(endpoint).subject, parameters, [](std::string_view, const std::string& value) { return value; });
}

}  // namespace tektii::api
