#include "sandbox/model.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

VersionStatus parse_version_status(const std::string& name) {
  for (const VersionStatus status : {VersionStatus::pending, VersionStatus::ready, VersionStatus::failed}) {
    if (name == name_of(status)) return status;
  }
  throw Error(ErrorKind::failure, fmt::format("unknown version status \"{}\"", name));
}

json optional_time(const std::optional<std::int64_t>& time) {
  return time ? json(*time) : json(nullptr);
}

std::optional<std::int64_t> optional_time(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::int64_t>();
}

}  // namespace

ScenarioStatus Scenario::status_at(std::int64_t now) const {
  if (cancelled_at) return ScenarioStatus::cancelled;
  if (now < starts_at) return ScenarioStatus::pending;
  return now < completes_at ? ScenarioStatus::running : ScenarioStatus::complete;
}

const char* name_of(VersionStatus status) {
  switch (status) {
    case VersionStatus::pending:
      return "PENDING";
    case VersionStatus::ready:
      return "READY";
    case VersionStatus::failed:
      return "FAILED";
  }
  return "";
}

const char* name_of(ScenarioStatus status) {
  switch (status) {
    case ScenarioStatus::pending:
      return "PENDING";
    case ScenarioStatus::running:
      return "RUNNING";
    case ScenarioStatus::complete:
      return "COMPLETE";
    case ScenarioStatus::cancelled:
      return "CANCELLED";
  }
  return "";
}

void to_json(json& json, const Strategy& value) {
  json = {{"id", value.id},
          {"name", value.name},
          {"ownerId", value.owner_id},
          {"createdAt", value.created_at},
          {"updatedAt", value.updated_at}};
}

void from_json(const json& json, Strategy& value) {
  json.at("id").get_to(value.id);
  json.at("name").get_to(value.name);
  json.at("ownerId").get_to(value.owner_id);
  json.at("createdAt").get_to(value.created_at);
  json.at("updatedAt").get_to(value.updated_at);
}

void to_json(json& json, const Version& value) {
  json = {{"id", value.id},
          {"strategyId", value.strategy_id},
          {"gitSha", value.git_sha},
          {"parentVersionId", value.parent_version_id},
          {"template", value.template_name},
          {"status", name_of(value.status)},
          {"imageDigest", value.image_digest},
          {"platform", value.platform},
          {"failure", value.failure},
          {"createdAt", value.created_at},
          {"updatedAt", value.updated_at},
          {"confirmedAt", optional_time(value.confirmed_at)}};
}

void from_json(const json& json, Version& value) {
  json.at("id").get_to(value.id);
  json.at("strategyId").get_to(value.strategy_id);
  json.at("gitSha").get_to(value.git_sha);
  json.at("parentVersionId").get_to(value.parent_version_id);
  json.at("template").get_to(value.template_name);
  value.status = parse_version_status(json.at("status").get<std::string>());
  json.at("imageDigest").get_to(value.image_digest);
  json.at("platform").get_to(value.platform);
  json.at("failure").get_to(value.failure);
  json.at("createdAt").get_to(value.created_at);
  json.at("updatedAt").get_to(value.updated_at);
  value.confirmed_at = optional_time(json.at("confirmedAt"));
}

void to_json(json& json, const ScenarioConfig& value) {
  auto subscriptions = json::array();
  for (const Subscription& subscription : value.subscriptions) {
    subscriptions.push_back({{"instrument", subscription.instrument}, {"events", subscription.events}});
  }
  json = {{"strategyVersionId", value.version_id},   {"subscriptions", std::move(subscriptions)},
          {"startTime", value.start_time},           {"endTime", value.end_time},
          {"initialCapital", value.initial_capital}, {"positionMode", value.position_mode}};
}

void from_json(const json& json, ScenarioConfig& value) {
  json.at("strategyVersionId").get_to(value.version_id);
  for (const auto& entry : json.at("subscriptions")) {
    value.subscriptions.push_back(
        {entry.at("instrument").get<std::string>(), entry.at("events").get<std::vector<std::string>>()});
  }
  json.at("startTime").get_to(value.start_time);
  json.at("endTime").get_to(value.end_time);
  json.at("initialCapital").get_to(value.initial_capital);
  json.at("positionMode").get_to(value.position_mode);
}

void to_json(json& json, const Scenario& value) {
  json = {{"id", value.id},
          {"strategyId", value.strategy_id},
          {"imageDigest", value.image_digest},
          {"config", value.config},
          {"createdAt", value.created_at},
          {"startsAt", value.starts_at},
          {"completesAt", value.completes_at},
          {"cancelledAt", optional_time(value.cancelled_at)}};
}

void from_json(const json& json, Scenario& value) {
  json.at("id").get_to(value.id);
  json.at("strategyId").get_to(value.strategy_id);
  json.at("imageDigest").get_to(value.image_digest);
  json.at("config").get_to(value.config);
  json.at("createdAt").get_to(value.created_at);
  json.at("startsAt").get_to(value.starts_at);
  json.at("completesAt").get_to(value.completes_at);
  value.cancelled_at = optional_time(json.at("cancelledAt"));
}

}  // namespace tektii::sandbox
