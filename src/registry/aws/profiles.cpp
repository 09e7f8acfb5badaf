#include "registry/aws/profiles.hpp"

#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <filesystem>
#include <system_error>

namespace tektii::registry::aws {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_max_file = 1 << 20;

std::string unquoted(std::string_view text) {
  text = trim(text);
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

// "" for a section that is no profile.
std::string profile_name(std::string_view section, bool is_config) {
  section = trim(section);
  if (!is_config || section == "default") return unquoted(section);
  constexpr std::string_view k_prefix = "profile";
  if (!section.starts_with(k_prefix)) return {};
  const std::string_view rest = section.substr(k_prefix.size());
  const bool separated = !rest.empty() && (rest.front() == ' ' || rest.front() == '\t');
  return separated ? unquoted(rest) : std::string();
}

void load(const fs::path& file, bool is_config, Profiles& profiles) {
  std::error_code failure;
  if (!fs::exists(file, failure)) return;
  const Secret text(read_file(file, k_max_file));
  for (auto& [name, settings] : parse_profiles(text.reveal(), is_config)) {
    for (auto& [setting, value] : settings) profiles[name][setting] = value;
  }
}

}  // namespace

Profiles parse_profiles(std::string_view text, bool is_config) {
  Profiles profiles;
  std::string current;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.front() == '[') {
      current = profile_name(content.substr(1, content.find(']') - 1), is_config);
      if (!current.empty()) profiles[current];
      continue;
    }
    const bool indented = line.front() == ' ' || line.front() == '\t';
    const auto equals = content.find('=');
    if (indented || equals == std::string_view::npos || current.empty()) continue;
    profiles[current][to_lower(trim(content.substr(0, equals)))] = std::string(trim(content.substr(equals + 1)));
  }
  return profiles;
}

Profiles load_profiles(const EnvLookup& env) {
  Profiles profiles;
  const auto home = env("HOME");
  const auto place = [&](const char* variable, const char* name) -> std::optional<fs::path> {
    if (const auto file = env(variable)) return fs::path(*file);
    if (home) return fs::path(*home) / ".aws" / name;
    return std::nullopt;
  };
  if (const auto file = place("AWS_CONFIG_FILE", "config")) load(*file, true, profiles);
  if (const auto file = place("AWS_SHARED_CREDENTIALS_FILE", "credentials")) load(*file, false, profiles);
  return profiles;
}

}  // namespace tektii::registry::aws
