#include "sandbox/platform.hpp"

#include "sandbox/random.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

constexpr int k_state_format = 1;
constexpr std::string_view k_required_platform = "linux/amd64";

template <typename T>
auto find_record(std::vector<T>& records, std::string_view strategy_id, std::string_view id) {
  return std::find_if(records.begin(), records.end(),
                      [&](const T& record) { return record.id == id && record.strategy_id == strategy_id; });
}

template <typename T>
std::optional<T> copy_record(const std::vector<T>& records, std::string_view strategy_id, std::string_view id) {
  for (const T& record : records) {
    if (record.id == id && record.strategy_id == strategy_id) return record;
  }
  return std::nullopt;
}

template <typename T>
std::vector<T> newest_first(const std::vector<T>& records, std::string_view strategy_id) {
  std::vector<T> result;
  std::copy_if(records.rbegin(), records.rend(), std::back_inserter(result),
               [&](const T& record) { return record.strategy_id == strategy_id; });
  return result;
}

}  // namespace

std::int64_t now_milliseconds() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::string image_repository(std::string_view strategy_id) {
  return fmt::format("{}/image", strategy_id);
}

Platform::Platform(std::filesystem::path file, ScenarioTimes times) : file_(std::move(file)), times_(times) {
  if (std::filesystem::exists(file_)) {
    load();
  } else {
    owner_id_ = random_id("user");
    save();
  }
}

void Platform::load() {
  try {
    const json state = json::parse(read_file(file_));
    if (state.at("format").get<int>() != k_state_format) throw Error(ErrorKind::failure, "unknown format");
    state.at("ownerId").get_to(owner_id_);
    state.at("strategies").get_to(strategies_);
    state.at("versions").get_to(versions_);
    state.at("scenarios").get_to(scenarios_);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::failure, fmt::format("{}: damaged: {}", file_.string(), error.what()))
        .add_hint("remove the directory to start with an empty platform");
  }
}

void Platform::save() const {
  const json state = {{"format", k_state_format},
                      {"ownerId", owner_id_},
                      {"strategies", strategies_},
                      {"versions", versions_},
                      {"scenarios", scenarios_}};
  write_file_atomic(file_, state.dump(1) + "\n", 0600);
}

Strategy Platform::create_strategy(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = now_milliseconds();
  const Strategy strategy{random_id("strat"), name, owner_id_, now, now};
  strategies_.push_back(strategy);
  save();
  return strategy;
}

std::vector<Strategy> Platform::strategies() const {
  const std::lock_guard lock(mutex_);
  return {strategies_.rbegin(), strategies_.rend()};
}

std::optional<Strategy> Platform::strategy(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(strategies_.begin(), strategies_.end(), [&](const Strategy& strategy) { return strategy.id == id; });
  if (found == strategies_.end()) return std::nullopt;
  return *found;
}

Version Platform::create_version(const NewVersion& request) {
  const std::lock_guard lock(mutex_);
  Version version;
  version.id = random_id("ver");
  version.strategy_id = request.strategy_id;
  version.git_sha = request.git_sha;
  version.parent_version_id = request.parent_version_id;
  version.template_name = request.template_name;
  version.created_at = version.updated_at = now_milliseconds();
  versions_.push_back(version);
  for (Strategy& strategy : strategies_) {
    if (strategy.id == request.strategy_id) strategy.updated_at = version.created_at;
  }
  save();
  return version;
}

std::vector<Version> Platform::versions(std::string_view strategy_id) const {
  const std::lock_guard lock(mutex_);
  return newest_first(versions_, strategy_id);
}

std::optional<Version> Platform::version(std::string_view strategy_id, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return copy_record(versions_, strategy_id, id);
}

std::optional<Version> Platform::confirm_version(std::string_view strategy_id, std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto version = find_record(versions_, strategy_id, id);
  if (version == versions_.end()) return std::nullopt;
  if (version->status == VersionStatus::ready && !version->confirmed_at) {
    version->confirmed_at = version->updated_at = now_milliseconds();
    save();
  }
  return *version;
}

const Version* Platform::find_by_reference(std::string_view repository, std::string_view tag) const {
  for (const Version& version : versions_) {
    if (version.id == tag && image_repository(version.strategy_id) == repository) return &version;
  }
  return nullptr;
}

bool Platform::may_push(std::string_view repository, std::string_view tag, std::string_view digest) const {
  const std::lock_guard lock(mutex_);
  const Version* version = find_by_reference(repository, tag);
  return version == nullptr || version->status != VersionStatus::ready || version->image_digest == digest;
}

void Platform::image_pushed(std::string_view repository, std::string_view tag, const PushedImage& image) {
  const std::lock_guard lock(mutex_);
  const Version* found = find_by_reference(repository, tag);
  if (found == nullptr) return;
  Version& version = versions_[static_cast<std::size_t>(found - versions_.data())];
  if (version.status == VersionStatus::ready && version.image_digest == image.digest) return;
  version.image_digest = image.digest;
  version.platform = image.platform;
  version.updated_at = now_milliseconds();
  if (image.platform == k_required_platform) {
    version.status = VersionStatus::ready;
    version.failure.clear();
  } else {
    version.status = VersionStatus::failed;
    version.failure = fmt::format("Image platform mismatch (expected {}, got {})", k_required_platform,
                                  image.platform.empty() ? "none" : image.platform);
  }
  save();
}

Scenario Platform::create_scenario(const Version& version, ScenarioConfig config) {
  const std::lock_guard lock(mutex_);
  Scenario scenario;
  scenario.id = random_id("scen");
  scenario.strategy_id = version.strategy_id;
  scenario.image_digest = version.image_digest;
  scenario.config = std::move(config);
  scenario.created_at = now_milliseconds();
  scenario.starts_at = scenario.created_at + times_.pending.count();
  scenario.completes_at = scenario.starts_at + times_.running.count();
  scenarios_.push_back(scenario);
  save();
  return scenario;
}

std::vector<Scenario> Platform::scenarios(std::string_view strategy_id) const {
  const std::lock_guard lock(mutex_);
  return newest_first(scenarios_, strategy_id);
}

std::optional<Scenario> Platform::scenario(std::string_view strategy_id, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return copy_record(scenarios_, strategy_id, id);
}

std::optional<CancelResult> Platform::cancel_scenario(std::string_view strategy_id, std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto scenario = find_record(scenarios_, strategy_id, id);
  if (scenario == scenarios_.end()) return std::nullopt;
  const std::int64_t now = now_milliseconds();
  const ScenarioStatus status = scenario->status_at(now);
  const bool active = status == ScenarioStatus::pending || status == ScenarioStatus::running;
  if (active) {
    scenario->cancelled_at = now;
    save();
  }
  return CancelResult{*scenario, active};
}

}  // namespace tektii::sandbox
