#include "sandbox/scenario_request.hpp"

#include "sandbox/instruments.hpp"
#include <tektii/api/scenario_config.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

FieldError describe(const api::ConfigFault& fault) {
  std::string message = fault.problem;
  if (!fault.suggestion.empty()) message += fmt::format(" ({})", fault.suggestion);
  return {fault.path, std::move(message)};
}

void check_instruments(const ScenarioConfig& config, std::vector<FieldError>& errors) {
  std::vector<std::string> symbols;
  for (const Instrument& instrument : instruments()) symbols.emplace_back(instrument.symbol);
  for (std::size_t i = 0; i < config.subscriptions.size(); ++i) {
    const std::string& symbol = config.subscriptions[i].instrument;
    const Instrument* instrument = find_instrument(symbol);
    const std::string path = fmt::format("subscriptions[{}].instrument", i);
    if (instrument == nullptr) {
      const auto meant = closest_match(symbol, symbols);
      const std::string hint = meant ? fmt::format(" (did you mean \"{}\"?)", *meant) : "";
      errors.push_back({path, fmt::format("unknown instrument \"{}\"{}", symbol, hint)});
    } else if (!instrument->available) {
      errors.push_back({path, fmt::format("instrument \"{}\" is not available", symbol)});
    }
  }
}

std::int64_t parse_time(const json& document, const char* name) {
  const auto time = parse_rfc3339(document.at(name).get<std::string>());
  if (!time) throw Error(ErrorKind::failure, fmt::format("{} passed the check but is not a time", name));
  return *time;
}

ScenarioConfig read_config(const json& document) {
  ScenarioConfig config;
  document.at("strategyVersionId").get_to(config.version_id);
  for (const json& entry : document.at("subscriptions")) {
    config.subscriptions.push_back(
        {entry.at("instrument").get<std::string>(), entry.at("events").get<std::vector<std::string>>()});
  }
  config.start_time = parse_time(document, "startTime");
  config.end_time = parse_time(document, "endTime");
  config.initial_capital = document.value("initialCapital", config.initial_capital);
  config.position_mode = document.value("positionMode", config.position_mode);
  return config;
}

}  // namespace

ScenarioRequest parse_scenario_request(std::string_view text) {
  ScenarioRequest request;
  for (const api::ConfigFault& fault : api::check_scenario_config(text, "the request")) {
    request.errors.push_back(describe(fault));
  }
  if (!request.errors.empty()) return request;
  request.config = read_config(json::parse(text));
  check_instruments(request.config, request.errors);
  return request;
}

}  // namespace tektii::sandbox
