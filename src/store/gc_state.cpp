#include "store/gc_state.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace tektii::store {

namespace {

constexpr std::size_t k_largest_state = 64U << 20U;

// A file of its own: every build reads it, and the one of the directories may be long.
std::string summary_path(const std::filesystem::path& file) {
  return file.string() + ".summary";
}

nlohmann::json read_json(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return nullptr;
  return nlohmann::json::parse(read_file(file, k_largest_state), nullptr, false);
}

void read_directories(const nlohmann::json& json, GcState& state) {
  for (const auto& [path, values] : json.items()) {
    MeasuredDirectory directory;
    values.at("time").get_to(directory.time);
    values.at("inode").get_to(directory.inode);
    values.at("size").get_to(directory.size);
    state.directories.emplace(path, directory);
  }
}

}  // namespace

GcState load_summary(const std::filesystem::path& file) {
  GcState state;
  try {
    const auto json = read_json(summary_path(file));
    if (!json.is_object()) return state;
    json.at("available").get_to(state.available);
    json.at("total").get_to(state.total);
    json.at("measuredAt").get_to(state.measured_at);
  } catch (const std::exception& error) {
    spdlog::debug("{} counts as missing: {}", summary_path(file), error.what());
    return {};
  }
  return state;
}

GcState GcState::load(const std::filesystem::path& file) {
  auto state = load_summary(file);
  try {
    const auto json = read_json(file);
    if (json.is_object()) read_directories(json, state);
  } catch (const std::exception& error) {
    spdlog::debug("{} counts as missing: {}", file.string(), error.what());
    state.directories.clear();
  }
  return state;
}

void GcState::save(const std::filesystem::path& file) const {
  auto json = nlohmann::json::object();
  for (const auto& [path, directory] : directories) {
    json[path] = {{"time", directory.time}, {"inode", directory.inode}, {"size", directory.size}};
  }
  write_file_atomic(file, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const nlohmann::json summary = {{"measuredAt", measured_at}, {"total", total}, {"available", available}};
  write_file_atomic(summary_path(file), summary.dump());
}

}  // namespace tektii::store
