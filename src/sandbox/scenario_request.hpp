#pragma once

#include "sandbox/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

// A member of a request that the platform refuses.
struct FieldError {
  std::string path;  // "subscriptions[0].events[0]"; empty for the document itself
  std::string message;
};

struct ScenarioRequest {
  std::vector<FieldError> errors;
  ScenarioConfig config;  // complete only when there are no errors
};

// Checks a scenario configuration as the platform does: the documented rules, and that every instrument exists and is
// available. `text` must be JSON.
ScenarioRequest parse_scenario_request(std::string_view text);

}  // namespace tektii::sandbox
