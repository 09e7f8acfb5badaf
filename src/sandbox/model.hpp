#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tektii::sandbox {

// The platform's records. Times are Unix milliseconds.

struct Strategy {
  std::string id;
  std::string name;
  std::string owner_id;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
};

enum class VersionStatus { pending, ready, failed };

struct Version {
  std::string id;
  std::string strategy_id;
  std::string git_sha;
  std::string parent_version_id;  // empty: none
  std::string template_name;      // empty: the image was pushed
  VersionStatus status = VersionStatus::pending;
  std::string image_digest;  // empty while PENDING
  std::string platform;      // of the image
  std::string failure;       // why it is FAILED
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::optional<std::int64_t> confirmed_at;
};

struct Subscription {
  std::string instrument;
  std::vector<std::string> events;
};

struct ScenarioConfig {
  std::string version_id;
  std::vector<Subscription> subscriptions;
  std::int64_t start_time = 0;  // Unix seconds, inclusive
  std::int64_t end_time = 0;    // exclusive
  double initial_capital = 100000;
  std::string position_mode = "netting";
};

enum class ScenarioStatus { pending, running, complete, cancelled };

// Its state follows from the clock: PENDING until `starts_at`, RUNNING until `completes_at`, unless it was cancelled.
struct Scenario {
  std::string id;
  std::string strategy_id;
  std::string image_digest;  // what was run: the version's image
  ScenarioConfig config;
  std::int64_t created_at = 0;
  std::int64_t starts_at = 0;
  std::int64_t completes_at = 0;
  std::optional<std::int64_t> cancelled_at;

  ScenarioStatus status_at(std::int64_t now) const;
};

const char* name_of(VersionStatus status);
const char* name_of(ScenarioStatus status);

// The form in the state file; reading throws nlohmann's exceptions on a damaged one.
void to_json(nlohmann::json& json, const Strategy& value);
void from_json(const nlohmann::json& json, Strategy& value);
void to_json(nlohmann::json& json, const Version& value);
void from_json(const nlohmann::json& json, Version& value);
void to_json(nlohmann::json& json, const ScenarioConfig& value);
void from_json(const nlohmann::json& json, ScenarioConfig& value);
void to_json(nlohmann::json& json, const Scenario& value);
void from_json(const nlohmann::json& json, Scenario& value);

}  // namespace tektii::sandbox
