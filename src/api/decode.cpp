#include "api/decode.hpp"

#include <tektii/api/client.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace tektii::api {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Names = std::initializer_list<const char*>;

// In the order of display; other numbers of a result object follow by name.
constexpr std::array k_metrics = {"totalReturn", "finalEquity",   "maxDrawdownPct", "winRatePct",
                                  "totalTrades", "averageProfit", "sharpeRatio",    "sortinoRatio",
                                  "calmarRatio", "profitFactor",  "volatilityPct"};

Error unreadable(std::string_view what) {
  return Error(ErrorKind::network, fmt::format("the platform's answer can't be read: {}", what))
      .add_hint("is the API URL right? it is set with --api-url or TEKTII_API_URL");
}

json parse(std::string_view text) {
  json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) throw unreadable("it is not JSON");
  return document;
}

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const json& unwrap(const json& document) {
  const json* data = member(document, "data");
  return data == nullptr ? document : *data;
}

// The first of the fields that is there, as text; an object stands for its id.
std::string text_of(const json& object, Names names) {
  for (const char* name : names) {
    const json* value = member(object, name);
    if (value == nullptr) continue;
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number()) return value->dump();
    if (const json* id = member(*value, "id"); id != nullptr && id->is_string()) return id->get<std::string>();
    if (const json* message = member(*value, "message"); message != nullptr && message->is_string()) {
      return message->get<std::string>();
    }
  }
  return {};
}

std::string id_of(const json& object, Names names) {
  if (!object.is_object()) throw unreadable("it is not an object");
  std::string id = text_of(object, names);
  if (id.empty()) throw unreadable(fmt::format("it has no {}", *names.begin()));
  return id;
}

bool is_true(const json& object, const char* name) {
  const json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

void add_metric(std::vector<Metric>& metrics, const std::string& name, const json& value) {
  const bool known = std::any_of(metrics.begin(), metrics.end(), [&](const Metric& one) { return one.name == name; });
  if (value.is_number() && !known) metrics.push_back({name, value.get<double>()});
}

std::vector<Metric> metrics_of(const json& object) {
  std::vector<const json*> holders = {&object};
  for (const char* name : {"metrics", "results", "result"}) {
    if (const json* inner = member(object, name)) holders.push_back(inner);
  }
  std::vector<Metric> metrics;
  for (const char* name : k_metrics) {
    for (const json* holder : holders) {
      if (const json* value = member(*holder, name)) add_metric(metrics, name, *value);
    }
  }
  for (auto holder = holders.begin() + 1; holder != holders.end(); ++holder) {
    if (!(*holder)->is_object()) continue;
    for (const auto& entry : (*holder)->items()) add_metric(metrics, entry.key(), entry.value());
  }
  return metrics;
}

Strategy strategy_of(const json& object) {
  Strategy strategy;
  strategy.id = id_of(object, {"id", "strategyId"});
  strategy.name = text_of(object, {"name"});
  strategy.owner_id = text_of(object, {"ownerId", "owner", "userId"});
  strategy.created_by = text_of(object, {"createdBy"});
  strategy.created_at = text_of(object, {"createdAt"});
  strategy.updated_at = text_of(object, {"updatedAt"});
  return strategy;
}

Version version_of(const json& object) {
  Version version;
  version.id = id_of(object, {"id", "versionId"});
  version.strategy_id = text_of(object, {"strategyId", "strategy"});
  version.git_sha = text_of(object, {"gitSha"});
  version.parent_version_id = text_of(object, {"parentVersionId", "parentVersion"});
  version.template_name = text_of(object, {"template", "templateName"});
  version.status = text_of(object, {"status", "state"});
  version.image = text_of(object, {"image", "imageUrl", "imageUri", "repositoryUrl"});
  version.created_at = text_of(object, {"createdAt"});
  return version;
}

Scenario scenario_of(const json& object) {
  Scenario scenario;
  scenario.id = id_of(object, {"id", "scenarioId"});
  scenario.strategy_id = text_of(object, {"strategyId", "strategy"});
  scenario.strategy_version_id = text_of(object, {"strategyVersionId", "versionId"});
  scenario.state = text_of(object, {"state", "status"});
  scenario.start_time = text_of(object, {"startTime"});
  scenario.end_time = text_of(object, {"endTime"});
  scenario.created_at = text_of(object, {"createdAt"});
  scenario.completed_at = text_of(object, {"completedAt", "finishedAt"});
  scenario.failure = text_of(object, {"error", "errorMessage", "failureReason"});
  scenario.simulated = is_true(object, "simulated");
  for (const char* name : {"metrics", "results", "result"}) {
    if (const json* inner = member(object, name))
      scenario.simulated = scenario.simulated || is_true(*inner, "simulated");
  }
  scenario.metrics = metrics_of(object);
  return scenario;
}

Instrument instrument_of(const json& object) {
  Instrument instrument;
  instrument.symbol = id_of(object, {"symbol", "id"});
  instrument.name = text_of(object, {"name", "description"});
  instrument.market = text_of(object, {"market"});
  instrument.status = text_of(object, {"status"});
  if (const json* list = member(object, "granularities"); list != nullptr && list->is_array()) {
    for (const json& one : *list) {
      if (one.is_string()) instrument.granularities.push_back(one.get<std::string>());
    }
  }
  return instrument;
}

// The array of a list, wherever it is.
const json& items_of(const json& document, const char* name) {
  const json& inner = unwrap(document);
  if (inner.is_array()) return inner;
  for (const json* holder : {&document, &inner}) {
    if (const json* list = member(*holder, name); list != nullptr && list->is_array()) return *list;
  }
  throw unreadable(fmt::format("it has no list of {}", name));
}

std::string cursor_of(const json& document) {
  for (const json* holder : {&document, &unwrap(document)}) {
    std::string cursor = text_of(*holder, {"nextCursor"});
    if (const json* pagination = member(*holder, "pagination"); pagination != nullptr && cursor.empty()) {
      cursor = text_of(*pagination, {"nextCursor"});
    }
    if (!cursor.empty()) return cursor;
  }
  return {};
}

// Where the array of a list is, as items_of finds it, in a document that may be changed.
ordered_json& list_in(ordered_json& document, const std::string& name) {
  ordered_json& inner =
      document.is_object() && document.contains("data") && !document["data"].is_null() ? document["data"] : document;
  if (inner.is_array()) return inner;
  for (ordered_json* holder : {&document, &inner}) {
    if (holder->is_object() && holder->contains(name) && (*holder)[name].is_array()) return (*holder)[name];
  }
  throw unreadable(fmt::format("it has no list of {}", name));
}

template <typename T>
Page<T> page_of(std::string_view text, const char* name, T (*decode)(const json&)) {
  const json document = parse(text);
  Page<T> page;
  for (const json& item : items_of(document, name)) page.items.push_back(decode(item));
  page.next_cursor = cursor_of(document);
  return page;
}

}  // namespace

Strategy decode_strategy(std::string_view text) {
  const json document = parse(text);
  return strategy_of(unwrap(document));
}

Version decode_version(std::string_view text) {
  const json document = parse(text);
  return version_of(unwrap(document));
}

VersionUpload decode_version_upload(std::string_view text, bool from_template) {
  const json document = parse(text);
  const json& object = unwrap(document);
  VersionUpload upload;
  upload.version_id = id_of(object, {"versionId", "id"});
  upload.repository_url = text_of(object, {"repositoryUrl"});
  upload.access_token = Secret(text_of(object, {"accessToken"}));
  if (!from_template && upload.repository_url.empty()) throw unreadable("it has no repositoryUrl");
  return upload;
}

Scenario decode_scenario(std::string_view text) {
  const json document = parse(text);
  return scenario_of(unwrap(document));
}

Page<Strategy> decode_strategies(std::string_view text) {
  return page_of<Strategy>(text, "strategies", strategy_of);
}

Page<Version> decode_versions(std::string_view text) {
  return page_of<Version>(text, "versions", version_of);
}

Page<Scenario> decode_scenarios(std::string_view text) {
  return page_of<Scenario>(text, "scenarios", scenario_of);
}

Page<Instrument> decode_instruments(std::string_view text) {
  return page_of<Instrument>(text, "instruments", instrument_of);
}

std::string merge_pages(const std::vector<std::string>& answers, const std::string& name) {
  if (answers.size() == 1) return answers.front();
  ordered_json merged;
  for (const std::string& answer : answers) {
    ordered_json document = ordered_json::parse(answer, nullptr, false);
    if (document.is_discarded()) throw unreadable("it is not JSON");
    if (merged.is_null()) {
      merged = std::move(document);
      continue;
    }
    ordered_json& target = list_in(merged, name);
    for (ordered_json& item : list_in(document, name)) target.push_back(std::move(item));
  }
  if (merged.is_object()) {
    for (ordered_json* holder : {&merged, merged.contains("data") ? &merged["data"] : &merged}) {
      if (!holder->is_object()) continue;
      holder->erase("nextCursor");
      holder->erase("pagination");
    }
  }
  return merged.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace tektii::api
