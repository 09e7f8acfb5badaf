#pragma once

#include "sandbox/model.hpp"

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

struct ScenarioTimes {
  std::chrono::milliseconds pending{300};
  std::chrono::milliseconds running{700};
};

struct NewVersion {
  std::string strategy_id;
  std::string git_sha;
  std::string parent_version_id;
  std::string template_name;
};

// An image that was pushed under a version's reference; `platform` is empty when its config names none.
struct PushedImage {
  std::string digest;
  std::string platform;
};

struct CancelResult {
  Scenario scenario;  // as it is now
  bool cancelled = false;
};

std::int64_t now_milliseconds();

// The repository that the images of a strategy's versions are pushed to; each version is a tag.
std::string image_repository(std::string_view strategy_id);

// The records of the platform and their rules, without HTTP. Every change is on disk, atomically, before a call
// returns. Thread-safe; hands out copies. Lists are newest first.
class Platform {
 public:
  // Reads the file if it is there; throws Error with its path when it is damaged.
  Platform(std::filesystem::path file, ScenarioTimes times);

  Strategy create_strategy(const std::string& name);
  std::vector<Strategy> strategies() const;
  std::optional<Strategy> strategy(std::string_view id) const;

  Version create_version(const NewVersion& request);
  std::vector<Version> versions(std::string_view strategy_id) const;
  std::optional<Version> version(std::string_view strategy_id, std::string_view id) const;
  // Marks a READY version as confirmed; returns it as it is now, unchanged when it is not READY.
  std::optional<Version> confirm_version(std::string_view strategy_id, std::string_view id);

  // False when the tag belongs to a version that already has another image: what a version ran must not change.
  bool may_push(std::string_view repository, std::string_view tag, std::string_view digest) const;
  // A manifest was stored under a tag. When that is a version's reference, it becomes READY, or FAILED for another
  // platform than linux/amd64.
  void image_pushed(std::string_view repository, std::string_view tag, const PushedImage& image);

  // `version` must be READY.
  Scenario create_scenario(const Version& version, ScenarioConfig config);
  std::vector<Scenario> scenarios(std::string_view strategy_id) const;
  std::optional<Scenario> scenario(std::string_view strategy_id, std::string_view id) const;
  // Cancels unless it has ended.
  std::optional<CancelResult> cancel_scenario(std::string_view strategy_id, std::string_view id);

 private:
  void load();
  void save() const;
  const Version* find_by_reference(std::string_view repository, std::string_view tag) const;

  std::filesystem::path file_;
  ScenarioTimes times_;
  mutable std::mutex mutex_;
  std::string owner_id_;
  std::vector<Strategy> strategies_;
  std::vector<Version> versions_;
  std::vector<Scenario> scenarios_;
};

}  // namespace tektii::sandbox
