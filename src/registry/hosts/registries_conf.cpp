#include "registry/hosts/registries_conf.hpp"

#include "registry/hosts/toml_file.hpp"
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tektii::registry {

namespace {

bool is_wildcard(const std::string& prefix) {
  return prefix.starts_with("*.");
}

std::string host_of(const std::string& name) {
  return name.substr(0, name.find('/'));
}

// "host[:port][/path]" as the containers tools write it, without a trailing slash. Empty stays empty.
std::string name_value(const TomlFile& file, const toml::table& table, const char* key) {
  std::string name = file.text(table, key);
  while (name.ends_with('/')) name.pop_back();
  if (name.empty()) return name;
  const toml::node& node = *table.get(key);
  if (name.find("://") != std::string::npos) file.fail(node, fmt::format("{} is a name without a scheme", key));
  try {
    const std::string whole = is_wildcard(name) ? name.substr(2) : name;
    const auto url = net::Url::parse("https://" + whole);
    if (!url.userinfo.empty() || !url.query.empty() || !url.fragment.empty()) {
      file.fail(node, fmt::format("{} is not the name of a registry", key));
    }
  } catch (const Error& error) {
    if (error.message().starts_with(file.path().string())) throw;
    file.fail(node, fmt::format("{} \"{}\" is not the name of a registry", key, escape_control(name)));
  }
  if (is_wildcard(name) && name.find_first_of("/:") != std::string::npos) {
    file.fail(node, fmt::format("{} with a \"*\" is a domain alone", key));
  }
  return name;
}

MirrorEntry read_mirror(const TomlFile& file, const toml::table& table, bool digest_only) {
  file.warn_of_unknown(table, {"location", "insecure", "pull-from-mirror"});
  MirrorEntry mirror;
  mirror.location = name_value(file, table, "location");
  if (mirror.location.empty() || is_wildcard(mirror.location)) file.fail(table, "a mirror needs a location");
  mirror.insecure = file.flag(table, "insecure");
  const auto which = file.text(table, "pull-from-mirror");
  if (!which.empty() && digest_only) {
    file.fail(table, "pull-from-mirror of a mirror and mirror-by-digest-only of its registry exclude each other");
  }
  if (!which.empty() && which != "all" && which != "digest-only" && which != "tag-only") {
    file.fail(*table.get("pull-from-mirror"), "pull-from-mirror is all, digest-only or tag-only");
  }
  mirror.by_tag = which != "digest-only" && !digest_only;
  mirror.by_digest = which != "tag-only";
  return mirror;
}

RegistryEntry read_entry(const TomlFile& file, const toml::table& table) {
  file.warn_of_unknown(table, {"prefix", "location", "insecure", "blocked", "mirror", "mirror-by-digest-only"});
  RegistryEntry entry;
  entry.place = file.place_of(table);
  entry.prefix = name_value(file, table, "prefix");
  entry.location = name_value(file, table, "location");
  if (entry.prefix.empty() && entry.location.empty()) file.fail(table, "a registry needs a prefix or a location");
  if (is_wildcard(entry.location)) file.fail(*table.get("location"), "a location is one registry, without a \"*\"");
  if (entry.prefix.empty()) entry.prefix = entry.location;
  if (entry.location.empty() && !is_wildcard(entry.prefix)) entry.location = entry.prefix;
  entry.insecure = file.flag(table, "insecure");
  entry.blocked = file.flag(table, "blocked");
  const bool digest_only = file.flag(table, "mirror-by-digest-only");
  for (const auto* mirror : file.tables(table, "mirror")) {
    entry.mirrors.push_back(read_mirror(file, *mirror, digest_only));
  }
  return entry;
}

// Version 1 has lists of hosts under these names.
void refuse_version_1(const TomlFile& file) {
  const auto* registries = file.root().get("registries");
  if (registries == nullptr) return;
  throw Error(ErrorKind::failure, fmt::format("{}: this is version 1 of registries.conf, which is not supported",
                                              file.place_of(*registries)))
      .add_hint("write [[registry]] tables as containers-registries.conf(5) describes them");
}

}  // namespace

std::optional<std::size_t> RegistryEntry::match(const std::string& name) const {
  if (is_wildcard(prefix)) {
    const auto host = host_of(name);
    const auto without_port = host.substr(0, host.find(':'));
    return without_port.ends_with(prefix.substr(1)) ? std::optional(host.size()) : std::nullopt;
  }
  const bool ends_well = name.size() == prefix.size() || (name.size() > prefix.size() && name[prefix.size()] == '/');
  return ends_well && name.starts_with(prefix) ? std::optional(prefix.size()) : std::nullopt;
}

void RegistriesConf::read(const std::filesystem::path& path) {
  const TomlFile file(path);
  refuse_version_1(file);
  file.warn_of_unknown(file.root(), {"registry", "unqualified-search-registries", "short-name-mode", "aliases",
                                     "credential-helpers", "additional-layer-store-auth-helper"});
  for (const char* ignored : {"unqualified-search-registries", "aliases"}) {
    if (const auto* node = file.root().get(ignored)) {
      spdlog::info("{}: {} is not followed: a name without a registry is one of docker.io", file.place_of(*node),
                   ignored);
    }
  }
  std::vector<std::string> seen;
  for (const auto* table : file.tables(file.root(), "registry")) {
    auto entry = read_entry(file, *table);
    if (std::find(seen.begin(), seen.end(), entry.prefix) != seen.end()) {
      file.fail(*table, fmt::format("there is another registry with the prefix {}", entry.prefix));
    }
    seen.push_back(entry.prefix);
    std::erase_if(entries_, [&](const RegistryEntry& old) { return old.prefix == entry.prefix; });
    entries_.push_back(std::move(entry));
  }
}

RegistriesConf::Found RegistriesConf::find(const std::string& name) const {
  Found best;
  for (const auto& entry : entries_) {
    const auto matched = entry.match(name);
    if (!matched) continue;
    const bool is_better = best.entry == nullptr || *matched > best.matched ||
                           (*matched == best.matched && !is_wildcard(entry.prefix)) ||
                           (*matched == best.matched && entry.prefix.size() > best.entry->prefix.size() &&
                            is_wildcard(best.entry->prefix));
    if (is_better) best = {&entry, *matched};
  }
  return best;
}

bool RegistriesConf::is_insecure(const std::string& host) const {
  const auto entry_says = [&](const RegistryEntry& entry) {
    if (entry.insecure && (entry.location.empty() ? entry.match(host).has_value() : host_of(entry.location) == host)) {
      return true;
    }
    return std::any_of(entry.mirrors.begin(), entry.mirrors.end(),
                       [&](const MirrorEntry& mirror) { return mirror.insecure && host_of(mirror.location) == host; });
  };
  return std::any_of(entries_.begin(), entries_.end(), entry_says);
}

}  // namespace tektii::registry
