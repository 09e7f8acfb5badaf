#include "registry/docker_config.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::registry {

namespace {

using Json = nlohmann::json;

// Names that mean Docker Hub; the first is the one that "docker login" writes.
const std::vector<std::string>& hub_names() {
  static const std::vector<std::string> names{"https://index.docker.io/v1/", "docker.io", "index.docker.io",
                                              "registry-1.docker.io"};
  return names;
}

[[noreturn]] void unusable(const std::string& file, const std::string& key, std::string_view why) {
  throw Error(ErrorKind::denied, fmt::format("{}: the credentials for '{}' can't be used: {}", escape_control(file),
                                             escape_control(key), why));
}

std::string string_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// The value of an object member that is an object itself; an empty object otherwise.
Json object_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_object() ? *member : Json::object();
}

// "auth" is base64 of "user:password"; the password may hold ':', and some tools pad with NUL bytes.
void decode_auth(const std::string& auth, const std::string& file, const std::string& key, Credentials& credentials) {
  auto decoded = base64_decode(trim(auth));
  if (!decoded) unusable(file, key, "\"auth\" is not base64");
  decoded->erase(0, std::min(decoded->find_first_not_of('\0'), decoded->size()));
  decoded->erase(decoded->find_last_not_of('\0') + 1);
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) unusable(file, key, "\"auth\" is not user:password");
  credentials.username = decoded->substr(0, colon);
  credentials.password = Secret(decoded->substr(colon + 1));
}

// nullopt: the entry holds nothing, which marks credentials that a helper keeps.
std::optional<Credentials> read_entry(const Json& entry, const std::string& file, const std::string& key) {
  if (!entry.is_object()) unusable(file, key, "the entry is not an object");
  Credentials credentials;
  credentials.username = string_member(entry, "username");
  credentials.password = Secret(string_member(entry, "password"));
  if (const std::string auth = string_member(entry, "auth"); !auth.empty()) decode_auth(auth, file, key, credentials);
  credentials.identity_token = Secret(string_member(entry, "identitytoken"));
  credentials.registry_token = Secret(string_member(entry, "registrytoken"));
  const bool empty = credentials.username.empty() && credentials.password.empty() &&
                     credentials.identity_token.empty() && credentials.registry_token.empty();
  return empty ? std::nullopt : std::optional<Credentials>(std::move(credentials));
}

// A bare "host/name" is the key of a namespace, not a way to write the host.
bool names_a_host(const std::string& key) {
  const bool has_scheme = key.find("://") != std::string::npos;
  const bool api_path = key.ends_with("/v1/") || key.ends_with("/v2/") || key.ends_with("/v1") ||
                        key.ends_with("/v2") || key.ends_with("/");
  return has_scheme || api_path || key.find('/') == std::string::npos;
}

// The entry of "auths" for the repository: exact keys first, then those that only differ in scheme and path.
std::optional<std::pair<std::string, Json>> find_entry(const Json& auths, const std::string& registry,
                                                       const std::string& repository) {
  const auto keys = docker_config_keys(registry, repository);
  for (const std::string& key : keys) {
    if (const auto entry = auths.find(key); entry != auths.end()) return std::pair(key, *entry);
  }
  for (const std::string& key : keys) {
    for (const auto& [candidate, entry] : auths.items()) {
      if (names_a_host(candidate) && normalise_config_key(candidate) == key) return std::pair(candidate, entry);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string normalise_config_key(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos) key.remove_prefix(scheme + 3);
  return to_lower(key.substr(0, key.find('/')));
}

std::vector<std::string> docker_config_keys(const std::string& registry, const std::string& repository) {
  std::vector<std::string> keys;
  for (std::string path = repository; !path.empty();) {
    keys.push_back(registry + "/" + path);
    const auto slash = path.rfind('/');
    path = slash == std::string::npos ? std::string() : path.substr(0, slash);
  }
  keys.push_back(registry);
  if (is_docker_hub(registry)) keys.insert(keys.end(), hub_names().begin(), hub_names().end());
  return keys;
}

bool is_docker_hub(const std::string& registry) {
  return registry == "docker.io" || registry == "index.docker.io" || registry == "registry-1.docker.io";
}

std::string login_key(const std::string& registry) {
  return is_docker_hub(registry) ? hub_names().front() : registry;
}

bool is_key_of_registry(const std::string& key, const std::string& registry) {
  if (!names_a_host(key)) return false;
  const std::string host = normalise_config_key(key);
  return host == to_lower(registry) || (is_docker_hub(host) && is_docker_hub(registry));
}

std::string_view without_bom(std::string_view json) {
  return json.starts_with("\xef\xbb\xbf") ? json.substr(3) : json;
}

namespace {

std::optional<HelperChoice> choose_helper(const Json& config, const std::string& registry, bool has_entry) {
  const auto keys = is_docker_hub(registry) ? hub_names() : std::vector<std::string>{registry};
  const Json helpers = object_member(config, "credHelpers");
  for (const std::string& key : keys) {
    const std::string name = string_member(helpers, key.c_str());
    if (!name.empty())
      return HelperChoice{name, login_key(registry), fmt::format("\"credHelpers\": \"{}\"", key), true};
  }
  const std::string store = string_member(config, "credsStore");
  if (store.empty()) return std::nullopt;
  return HelperChoice{store, login_key(registry), "\"credsStore\"", has_entry};
}

}  // namespace

namespace {

// An empty file is an empty object.
Json parse_config(std::string_view json, const std::string& file) {
  json = without_bom(json);
  if (trim(json).empty()) return Json::object();
  Json config = Json::parse(json, nullptr, false);
  if (!config.is_object()) {
    throw Error(ErrorKind::denied, fmt::format("{} is not a JSON object", escape_control(file)));
  }
  return config;
}

}  // namespace

ConfigAnswer find_in_docker_config(std::string_view json, const std::string& file, const std::string& registry,
                                   const std::string& repository) {
  const Json config = parse_config(json, file);
  const auto entry = find_entry(object_member(config, "auths"), registry, repository);
  ConfigAnswer answer;
  answer.helper = choose_helper(config, registry, entry.has_value());
  if (!entry) return answer;
  answer.credentials = read_entry(entry->second, file, entry->first);
  // "docker login" leaves an empty entry for what a helper keeps.
  if (!answer.credentials && !answer.helper) {
    unusable(file, entry->first, "the entry is empty and no \"credsStore\" is named");
  }
  return answer;
}

std::optional<HelperChoice> helper_in_docker_config(std::string_view json, const std::string& file,
                                                    const std::string& registry) {
  return choose_helper(parse_config(json, file), registry, false);
}

std::vector<std::string> docker_config_hosts(std::string_view json, const std::string& file) {
  std::vector<std::string> hosts;
  const Json config = parse_config(json, file);
  const Json auths = object_member(config, "auths");
  for (const auto& [key, entry] : auths.items()) hosts.push_back(key);
  return hosts;
}

}  // namespace tektii::registry
