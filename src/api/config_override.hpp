#pragma once

#include <tektii/api/scenario_config.hpp>

#include <nlohmann/json_fwd.hpp>

namespace tektii::api {

// Puts the value where the path leads. The last member of an object need not be there yet, and an index may be the one
// after an array's last. Throws Error{usage} for any other path that leads nowhere.
void apply_override(nlohmann::ordered_json& document, const ConfigOverride& change);

}  // namespace tektii::api
