#pragma once

#include "sandbox/model.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>

namespace tektii::sandbox {

// The records as the API shows them.

nlohmann::json show_strategy(const Strategy& strategy);
// `image` is the full reference of the version's image.
nlohmann::json show_version(const Version& version, const std::string& image);
// A COMPLETE one carries its metrics. Every one says that it is simulated.
nlohmann::json show_scenario(const Scenario& scenario, std::int64_t now);
nlohmann::json show_instruments(const std::string& market, const std::string& status);

// Results of a COMPLETE scenario; `type` is metadata, timeseries or trades.
nlohmann::json show_results(const Scenario& scenario, const std::string& type);

}  // namespace tektii::sandbox
