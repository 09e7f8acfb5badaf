#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::api {

// One rule of the scenario configuration that a document breaks.
struct ConfigFault {
  std::string path;        // "subscriptions[3].events[0]"; empty for the document itself
  std::string value;       // as JSON, shortened; empty when the field is missing
  std::string problem;     // "is not a known event"
  std::string suggestion;  // "did you mean \"candle_5m\"?"; may be empty

  // "subscriptions[3].events[0]: "candle_5min" is not a known event (did you mean "candle_5m"?)"
  std::string str() const;
};

// A value that stands in for the one of the file: `path` as in ConfigFault ("subscriptions[0].instrument"), `value` as
// JSON or, where it is none, as a plain string.
struct ConfigOverride {
  std::string path;
  std::string value;
};

// "path=value". Throws Error{usage} for a text without both.
ConfigOverride parse_override(std::string_view text);

// Every fault of a configuration, in the order of the documentation's fields; empty when it is valid. Fields that are
// not documented pass, unless they look like a misspelt one. Throws Error{usage} with the place when the text is not
// JSON; `file_name` is for that message.
std::vector<ConfigFault> check_scenario_config(std::string_view text, const std::string& file_name);

// A configuration that passed all checks; holds the text as it was given.
class ScenarioConfig {
 public:
  // The file may hold comments (// and /* */), which are not sent. Throws Error{usage} that lists every fault, and for
  // an override whose path leads nowhere.
  static ScenarioConfig parse(std::string text, const std::string& file_name,
                              const std::vector<ConfigOverride>& overrides = {});
  // The file as it is, unless it has comments or overrides.
  const std::string& json() const { return text_; }
  // Of the subscriptions, in their order.
  const std::vector<std::string>& instruments() const { return instruments_; }

 private:
  ScenarioConfig(std::string text, std::vector<std::string> instruments)
      : text_(std::move(text)), instruments_(std::move(instruments)) {}
  std::string text_;
  std::vector<std::string> instruments_;
};

}  // namespace tektii::api
