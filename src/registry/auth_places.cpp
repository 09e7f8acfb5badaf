#include "registry/auth_places.hpp"

#include "registry/docker_config.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tektii::registry {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_max_config = 4 << 20;

std::optional<fs::path> directory_of(const EnvLookup& env, const char* variable, const char* below_home) {
  if (const auto directory = env(variable)) return fs::path(*directory);
  if (const auto home = env("HOME")) return fs::path(*home) / below_home;
  return std::nullopt;
}

std::optional<fs::path> docker_config_file(const EnvLookup& env) {
  const auto directory = directory_of(env, "DOCKER_CONFIG", ".docker");
  return directory ? std::optional<fs::path>(*directory / "config.json") : std::nullopt;
}

AuthPlace at(fs::path file, bool named_by_user = false, bool legacy = false) {
  std::string name = file.string();
  return {std::move(file), std::nullopt, std::move(name), named_by_user, legacy};
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::vector<AuthPlace> auth_places(const ConfigOptions& options) {
  const EnvLookup& env = options.env;
  if (options.auth_file) return {at(*options.auth_file, true)};
  std::vector<AuthPlace> places;
  if (auto text = env("DOCKER_AUTH_CONFIG")) {
    places.push_back({{}, Secret(std::move(*text)), "$DOCKER_AUTH_CONFIG", true, false});
  }
  if (const auto file = env("REGISTRY_AUTH_FILE")) places.push_back(at(*file, true));
  if (auto file = docker_config_file(env)) places.push_back(at(std::move(*file)));
  const auto session = env("XDG_RUNTIME_DIR");
  const fs::path runtime = session ? fs::path(*session) : fs::path("/run/containers") / std::to_string(::getuid());
  places.push_back(at(session ? runtime / "containers" / "auth.json" : runtime / "auth.json"));
  if (const auto config = directory_of(env, "XDG_CONFIG_HOME", ".config")) {
    places.push_back(at(*config / "containers" / "auth.json"));
  }
  if (const auto home = env("HOME")) places.push_back(at(fs::path(*home) / ".dockercfg", false, true));
  return places;
}

fs::path login_file(const ConfigOptions& options) {
  if (options.auth_file) return *options.auth_file;
  if (const auto file = options.env("REGISTRY_AUTH_FILE")) return *file;
  if (auto file = docker_config_file(options.env)) return *file;
  throw Error(ErrorKind::usage, "there is no home directory to keep the login in")
      .add_hint("set HOME or DOCKER_CONFIG, or name a file with --authfile");
}

std::optional<Secret> read_place(const AuthPlace& place) {
  if (place.text) return place.text;
  struct stat info {};
  if (::stat(place.file.c_str(), &info) != 0) {
    // A directory of somebody else is none of our places.
    const bool absent = errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !place.named_by_user);
    if (!absent) {
      throw Error(ErrorKind::denied, fmt::format("{}: {}", escape_control(place.name), std::strerror(errno)));
    }
    if (place.named_by_user) spdlog::warn("the file with logins {} is not there", escape_control(place.name));
    return std::nullopt;
  }
  try {
    Secret text(read_file(place.file, k_max_config));
    if (!place.legacy || trim(text.reveal()).empty()) return text;
    return Secret(fmt::format("{{\"auths\":{}}}", without_bom(text.reveal())));
  } catch (const Error& error) {
    throw Error(ErrorKind::denied, fmt::format("the file with logins can't be read: {}", error.what()));
  }
}

}  // namespace tektii::registry
