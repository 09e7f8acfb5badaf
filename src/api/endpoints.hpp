#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::api {

enum class Endpoint {
  create_strategy,
  list_strategies,
  get_strategy,
  create_version,
  list_versions,
  get_version,
  confirm_version,
  create_scenario,
  list_scenarios,
  get_scenario,
  cancel_scenario,
  get_results,
  list_instruments,
};

struct EndpointRow {
  Endpoint endpoint;
  std::string_view method;
  std::string_view path;     // below the base URL; {strategy}, {version}, {scenario} and {type} are replaced
  std::string_view subject;  // what a 404 says is missing; empty when the path itself would be
  bool idempotent;           // may be sent again although the server may have acted on it
};

struct PathParameters {
  std::string strategy;
  std::string version;
  std::string scenario = {};
  std::string type = {};  // of results
};

using Query = std::vector<std::pair<std::string, std::string>>;

const EndpointRow& row_of(Endpoint endpoint);

// The path with its parameters percent-encoded, and the query. Throws Error{usage} for an id that can't be one: empty,
// "." or "..".
std::string target_of(Endpoint endpoint, const PathParameters& parameters, const Query& query);

// The row's subject with its parameters: "version ver_1 of strategy strat_1".
std::string subject_of(Endpoint endpoint, const PathParameters& parameters);

}  // namespace tektii::api
