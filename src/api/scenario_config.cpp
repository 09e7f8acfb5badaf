#include "api/config_override.hpp"
#include "api/json_place.hpp"
#include "api/scenario_vocabulary.hpp"
#include <tektii/api/scenario_config.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tektii::api {

namespace {

using nlohmann::json;

constexpr std::size_t k_max_subscriptions = 50;
constexpr double k_min_capital = 1;
constexpr double k_max_capital = 100'000'000;
constexpr std::size_t k_shown_value_bytes = 60;

const std::vector<std::string> k_fields = {"strategyVersionId", "subscriptions",  "startTime",
                                           "endTime",           "initialCapital", "positionMode"};
const std::vector<std::string> k_subscription_fields = {"instrument", "events"};
const std::vector<std::string> k_position_modes = {"netting", "hedging"};

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > k_shown_value_bytes) text = text.substr(0, k_shown_value_bytes) + "...";
  return text;
}

std::string did_you_mean(const std::optional<std::string>& word) {
  return word ? fmt::format("did you mean \"{}\"?", *word) : std::string();
}

// Collects the faults of one document; each check function looks at one field.
class Checker {
 public:
  std::vector<ConfigFault> check(const json& document) {
    if (!document.is_object()) {
      add("", document, "is not an object", "write {\"strategyVersionId\": ..., \"subscriptions\": [...], ...}");
      return std::move(faults_);
    }
    check_misspelt("", document, k_fields);
    check_version_id(document);
    check_subscriptions(document);
    check_times(document);
    check_capital(document);
    check_position_mode(document);
    return std::move(faults_);
  }

 private:
  void add(std::string path, const json& value, std::string problem, std::string suggestion) {
    faults_.push_back({std::move(path), shown(value), std::move(problem), std::move(suggestion)});
  }
  void add_missing(std::string path, std::string suggestion) {
    faults_.push_back({std::move(path), {}, "is required", std::move(suggestion)});
  }

  // The platform may know fields that we don't, so an unknown one is a fault only where it looks like a slip.
  void check_misspelt(const std::string& prefix, const json& object, const std::vector<std::string>& fields) {
    for (const auto& entry : object.items()) {
      if (std::find(fields.begin(), fields.end(), entry.key()) != fields.end()) continue;
      std::optional<std::string> meant = closest_match(entry.key(), fields);
      for (const std::string& field : fields) {
        std::string plain = entry.key();
        plain.erase(std::remove_if(plain.begin(), plain.end(), [](char c) { return c == '_' || c == '-'; }),
                    plain.end());
        if (equals_ignoring_case(plain, field)) meant = field;
      }
      if (meant) add(prefix + entry.key(), entry.value(), "is not a known field", did_you_mean(meant));
    }
  }

  void check_version_id(const json& document) {
    const auto id = document.find("strategyVersionId");
    const std::string hint = "`tektii version list STRATEGY` shows the ids";
    if (id == document.end()) {
      add_missing("strategyVersionId", hint);
    } else if (!id->is_string()) {
      add("strategyVersionId", *id, "is not a string", hint);
    } else if (trim(id->get_ref<const std::string&>()).empty()) {
      add("strategyVersionId", *id, "is empty", hint);
    }
  }

  void check_subscriptions(const json& document) {
    const auto list = document.find("subscriptions");
    const std::string form = R"(write [{"instrument": "C:BTCUSD", "events": ["candle_1h"]}])";
    if (list == document.end()) return add_missing("subscriptions", form);
    if (!list->is_array()) return add("subscriptions", *list, "is not an array", form);
    if (list->empty()) return add("subscriptions", *list, "is empty", form);
    if (list->size() > k_max_subscriptions) {
      faults_.push_back({"subscriptions", fmt::format("{} entries", list->size()), "has too many entries",
                         fmt::format("at most {} are allowed", k_max_subscriptions)});
    }
    for (std::size_t i = 0; i < list->size(); ++i) check_subscription(fmt::format("subscriptions[{}]", i), (*list)[i]);
  }

  void check_subscription(const std::string& path, const json& entry) {
    if (!entry.is_object()) {
      return add(path, entry, "is not an object", R"(write {"instrument": "C:BTCUSD", "events": ["candle_1h"]})");
    }
    check_misspelt(path + ".", entry, k_subscription_fields);
    const auto instrument = entry.find("instrument");
    const std::string example = "for example \"C:BTCUSD\"";
    if (instrument == entry.end()) {
      add_missing(path + ".instrument", example);
    } else if (!instrument->is_string()) {
      add(path + ".instrument", *instrument, "is not a string", example);
    } else if (trim(instrument->get_ref<const std::string&>()).empty()) {
      add(path + ".instrument", *instrument, "is empty", example);
    }
    check_events(path + ".events", entry);
  }

  void check_events(const std::string& path, const json& entry) {
    const auto events = entry.find("events");
    const std::string example = R"(for example ["candle_1h", "order_update"])";
    if (events == entry.end()) return add_missing(path, example);
    if (!events->is_array()) {
      const bool word = events->is_string();
      return add(path, *events, "is not an array", word ? fmt::format("write [{}]", shown(*events)) : example);
    }
    if (events->empty()) return add(path, *events, "is empty", example);
    for (std::size_t i = 0; i < events->size(); ++i) {
      const json& event = (*events)[i];
      const std::string place = fmt::format("{}[{}]", path, i);
      if (!event.is_string()) {
        add(place, event, "is not a string", "for example \"candle_1h\"");
      } else if (const auto& word = event.get_ref<const std::string&>();
                 std::find(known_events().begin(), known_events().end(), word) == known_events().end()) {
        const auto meant = suggest_event(word);
        add(place, event, "is not a known event",
            meant ? did_you_mean(meant) : "known are " + join(known_events(), ", "));
      }
    }
  }

  std::optional<Instant> check_time(const json& document, const char* field) {
    const auto time = document.find(field);
    const std::string example = "RFC 3339, for example \"2024-01-15T00:00:00Z\"";
    if (time == document.end()) {
      add_missing(field, example);
      return std::nullopt;
    }
    if (!time->is_string()) {
      add(field, *time, "is not a string", example);
      return std::nullopt;
    }
    const auto& text = time->get_ref<const std::string&>();
    std::optional<Instant> instant = parse_instant(text);
    if (!instant) {
      const auto meant = suggest_instant(text);
      add(field, *time, "is not an RFC 3339 time", meant ? did_you_mean(meant) : example);
    }
    return instant;
  }

  void check_times(const json& document) {
    const std::optional<Instant> start = check_time(document, "startTime");
    const std::optional<Instant> end = check_time(document, "endTime");
    if (start && end && *end <= *start) {
      add("endTime", document["endTime"], "is not after startTime",
          fmt::format("choose a time after {} (endTime itself is not part of the run)", shown(document["startTime"])));
    }
  }

  void check_capital(const json& document) {
    const auto capital = document.find("initialCapital");
    if (capital == document.end()) return;
    const std::string range = "a number from 1 to 100000000; the default is 100000";
    if (!capital->is_number()) {
      const bool quoted = capital->is_string() && json::accept(capital->get_ref<const std::string&>());
      return add("initialCapital", *capital, "is not a number",
                 quoted ? "write " + capital->get<std::string>() + " without the quotes" : range);
    }
    const double value = capital->get<double>();
    if (value < k_min_capital || value > k_max_capital) add("initialCapital", *capital, "is out of range", range);
  }

  void check_position_mode(const json& document) {
    const auto mode = document.find("positionMode");
    if (mode == document.end()) return;
    const std::string both = "\"netting\" (the default) or \"hedging\"";
    if (!mode->is_string()) return add("positionMode", *mode, "is not a string", both);
    const auto& word = mode->get_ref<const std::string&>();
    if (std::find(k_position_modes.begin(), k_position_modes.end(), word) != k_position_modes.end()) return;
    const auto meant = closest_match(to_lower(trim(word)), k_position_modes);
    add("positionMode", *mode, "is not a known mode", meant ? did_you_mean(meant) : both);
  }

  std::vector<ConfigFault> faults_;
};

}  // namespace

std::string ConfigFault::str() const {
  std::string text = path.empty() ? "the document" : path;
  text += value.empty() ? " " : fmt::format(": {} ", value);
  text += problem;
  if (!suggestion.empty()) text += fmt::format(" ({})", suggestion);
  return text;
}

std::vector<ConfigFault> check_scenario_config(std::string_view text, const std::string& file_name) {
  return Checker().check(parse_json_file(text, file_name));
}

ScenarioConfig ScenarioConfig::parse(std::string text, const std::string& file_name,
                                     const std::vector<ConfigOverride>& overrides) {
  nlohmann::ordered_json document = parse_json_file(text, file_name);
  for (const ConfigOverride& one : overrides) apply_override(document, one);
  const std::vector<ConfigFault> faults = Checker().check(document);
  if (!faults.empty()) {
    std::string message = fmt::format("{} fault{} in the scenario configuration {}", faults.size(),
                                      faults.size() == 1 ? "" : "s", file_name);
    for (const ConfigFault& fault : faults) message += "\n  " + fault.str();
    throw Error(ErrorKind::usage, message).add_hint("nothing was sent");
  }
  std::vector<std::string> instruments;
  for (const auto& entry : document["subscriptions"]) instruments.push_back(entry["instrument"].get<std::string>());
  if (!overrides.empty() || !json::accept(text)) text = document.dump();
  return {std::move(text), std::move(instruments)};
}

}  // namespace tektii::api
