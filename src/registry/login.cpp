#include "registry/auth_places.hpp"
#include "registry/credential_helper.hpp"
#include "registry/docker_config.hpp"
#include "registry/json_edit.hpp"
#include <tektii/net/url.hpp>
#include <tektii/registry/login.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace tektii::registry {

namespace {

namespace fs = std::filesystem;

AuthPlace login_place(const ConfigOptions& options) {
  const fs::path file = login_file(options);
  return {file, std::nullopt, file.string(), false, false};
}

// "" when there is no file yet.
Secret read_login_file(const AuthPlace& place) {
  return read_place(place).value_or(Secret());
}

// A link stays a link: people keep their configuration elsewhere and link to it.
void write_login_file(const fs::path& file, const Secret& text) {
  std::error_code failure;
  const fs::path target = fs::is_symlink(file, failure) ? fs::weakly_canonical(file) : fs::absolute(file);
  if (!fs::exists(target.parent_path(), failure)) {
    make_directories(target.parent_path());
    ::chmod(target.parent_path().c_str(), 0700);
  }
  write_file_atomic(target, text.reveal(), 0600);
}

// Every key of "auths" that is a way to write the registry.
std::vector<std::string> keys_of(const Secret& text, const AuthPlace& place, const std::string& registry) {
  auto keys = docker_config_hosts(text.reveal(), place.name);
  std::erase_if(keys, [&](const std::string& key) { return !is_key_of_registry(key, registry); });
  return keys;
}

HelperSite site_of(const HelperChoice& helper, const AuthPlace& place, const ConfigOptions& options) {
  return {helper.name, helper.setting, place.name, options.helper_timeout};
}

// Without asking any helper.
bool has_entry(const AuthPlace& place, const std::string& registry) {
  const auto text = read_place(place);
  return text && !keys_of(*text, place, registry).empty();
}

}  // namespace

std::string login_registry(const std::string& given) {
  if (given.empty()) return "docker.io";
  std::string_view rest = given;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
  const std::string_view path = rest.substr(std::min(rest.find('/'), rest.size()));
  const bool is_api = path.empty() || path == "/" || path == "/v1" || path == "/v1/" || path == "/v2" || path == "/v2/";
  if (!is_api) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is not the name of a registry", escape_control(given)))
        .add_hint("give its host alone, for instance ghcr.io or localhost:5000");
  }
  const std::string host = to_lower(rest.substr(0, rest.find('/')));
  try {
    const net::Url url = net::Url::parse("https://" + host);
    if (!url.userinfo.empty() || !url.query.empty() || !url.fragment.empty()) {
      throw Error(ErrorKind::usage, "it is more than a host");
    }
  } catch (const Error& error) {
    throw Error(ErrorKind::usage,
                fmt::format("'{}' is not the name of a registry: {}", escape_control(given), error.message()));
  }
  return is_docker_hub(host) ? "docker.io" : host;
}

StoredLogin store_login(const ConfigOptions& options, const std::string& registry, const Credentials& credentials,
                        const std::stop_token& stop) {
  const AuthPlace place = login_place(options);
  const Secret old = read_login_file(place);
  const std::string key = login_key(registry);
  StoredLogin stored{place.name, false, std::nullopt};
  std::vector<std::pair<std::string, std::string>> members;
  if (const auto helper = helper_in_docker_config(old.reveal(), place.name, registry)) {
    const HelperSite site = site_of(*helper, place, options);
    helper_store(site, helper->server, credentials, stop);
    stored.place = "docker-credential-" + helper->name;
    stored.encrypted = true;
  } else {
    members.emplace_back("auth", base64_encode(credentials.username + ":" + credentials.password.reveal()));
  }
  // Another way to write the registry would be found first.
  std::string text(without_bom(old.reveal()));
  for (const std::string& other : keys_of(old, place, registry)) {
    if (other != key) text = without_auth_entry(text, other);
  }
  write_login_file(place.file, Secret(with_auth_entry(text, key, members)));
  for (const AuthPlace& earlier : auth_places(options)) {
    if (!earlier.text && earlier.file == place.file) break;
    if (has_entry(earlier, registry)) stored.shadowed_by = earlier.name;
    if (stored.shadowed_by) break;
  }
  return stored;
}

RemovedLogin remove_login(const ConfigOptions& options, const std::string& registry, const std::stop_token& stop) {
  const AuthPlace place = login_place(options);
  const Secret old = read_login_file(place);
  RemovedLogin removed;
  const auto keys = keys_of(old, place, registry);
  if (!keys.empty()) {
    std::string text(without_bom(old.reveal()));
    for (const std::string& key : keys) text = without_auth_entry(text, key);
    write_login_file(place.file, Secret(text));
    removed.removed_from.push_back(place.name);
  }
  if (const auto helper = helper_in_docker_config(old.reveal(), place.name, registry)) {
    // A store that never knew the registry need not be there.
    const bool must_know = helper->certain || !keys.empty();
    const HelperSite site = site_of(*helper, place, options);
    try {
      if (helper_erase(site, helper->server, stop) && must_know) {
        removed.removed_from.push_back("docker-credential-" + helper->name);
      }
    } catch (const Error&) {
      if (must_know) throw;
    }
  }
  for (const AuthPlace& other : auth_places(options)) {
    const bool same = !other.text && other.file == place.file;
    if (!same && has_entry(other, registry)) removed.left_in.push_back(other.name);
  }
  return removed;
}

}  // namespace tektii::registry
