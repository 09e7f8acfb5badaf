#include "registry/docker_config.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tektii::registry {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_config = 4 << 20;

// Names that mean Docker Hub; the first is the one that "docker login" writes.
const std::vector<std::string>& hub_names() {
  static const std::vector<std::string> names{"https://index.docker.io/v1/", "docker.io", "index.docker.io",
                                              "registry-1.docker.io"};
  return names;
}

bool is_hub(const std::string& registry) {
  return registry == "docker.io" || registry == "index.docker.io" || registry == "registry-1.docker.io";
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

[[noreturn]] void throw_helper(const std::string& file, const std::string& setting, const std::string& helper,
                               const std::string& registry) {
  Error error(
      ErrorKind::denied,
      fmt::format("{}: {} leaves the credentials for {} to docker-credential-{}, and credential helpers are not "
                  "supported yet",
                  escape_control(file), escape_control(setting), registry, escape_control(helper)));
  error.add_hint(
      fmt::format("put the credentials into a config file without helpers: DOCKER_CONFIG=<directory> docker "
                  "login {}",
                  is_hub(registry) ? "" : registry));
  throw error;
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
      // A bare "host/name" is a narrower key of another repository, not a way to write the host.
      const bool has_scheme = candidate.find("://") != std::string::npos;
      const bool api_path = candidate.ends_with("/v1/") || candidate.ends_with("/v2/") || candidate.ends_with("/v1") ||
                            candidate.ends_with("/v2") || candidate.ends_with("/");
      if ((has_scheme || api_path) && normalise_config_key(candidate) == key) return std::pair(candidate, entry);
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
  if (is_hub(registry)) keys.insert(keys.end(), hub_names().begin(), hub_names().end());
  return keys;
}

std::optional<Credentials> find_in_docker_config(std::string_view json, const std::string& file,
                                                 const std::string& registry, const std::string& repository) {
  if (json.starts_with("\xef\xbb\xbf")) json.remove_prefix(3);  // the byte order mark of Windows editors
  if (trim(json).empty()) return std::nullopt;
  const Json config = Json::parse(json, nullptr, false);
  if (!config.is_object()) {
    throw Error(ErrorKind::denied, fmt::format("{} is not a JSON object", escape_control(file)));
  }
  const auto helper_keys = is_hub(registry) ? hub_names() : std::vector<std::string>{registry};
  const Json helpers = object_member(config, "credHelpers");
  for (const std::string& key : helper_keys) {
    const std::string helper = string_member(helpers, key.c_str());
    if (!helper.empty()) throw_helper(file, fmt::format("\"credHelpers\": \"{}\"", key), helper, registry);
  }
  const auto entry = find_entry(object_member(config, "auths"), registry, repository);
  const std::string store = string_member(config, "credsStore");
  if (!entry) {
    // "docker login" leaves an empty entry beside the store, so most likely it has nothing for this registry.
    if (!store.empty()) {
      spdlog::warn("{}: \"credsStore\": \"{}\" is not asked for {} (credential helpers are not supported yet)",
                   escape_control(file), escape_control(store), registry);
    }
    return std::nullopt;
  }
  auto credentials = read_entry(entry->second, file, entry->first);
  if (credentials) return credentials;
  if (!store.empty()) throw_helper(file, "\"credsStore\"", store, registry);
  unusable(file, entry->first, "the entry is empty and no \"credsStore\" is named");
}

namespace {

class DockerConfigCredentials : public CredentialSource {
 public:
  explicit DockerConfigCredentials(std::filesystem::path file) : file_(std::move(file)) {}

  std::optional<Credentials> find(const std::string& registry, const std::string& repository) override {
    if (file_.empty()) return std::nullopt;
    if (::access(file_.c_str(), F_OK) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      throw_errno(file_.string());
    }
    const Secret text(read_file(file_, k_max_config));
    return find_in_docker_config(text.reveal(), file_.string(), registry, repository);
  }

 private:
  std::filesystem::path file_;
};

std::filesystem::path default_config_file() {
  if (const char* directory = std::getenv("DOCKER_CONFIG"); directory != nullptr && *directory != '\0') {
    return std::filesystem::path(directory) / "config.json";
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::filesystem::path(home) / ".docker" / "config.json";
}

}  // namespace

std::unique_ptr<CredentialSource> make_docker_config_credentials() {
  return make_docker_config_credentials(default_config_file());
}

std::unique_ptr<CredentialSource> make_docker_config_credentials(const std::filesystem::path& config_file) {
  return std::make_unique<DockerConfigCredentials>(config_file);
}

}  // namespace tektii::registry
