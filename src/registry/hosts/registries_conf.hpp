#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

// containers-registries.conf(5), version 2. Names are "host[:port][/path]".
struct MirrorEntry {
  std::string location;
  bool insecure = false;
  bool by_tag = true;
  bool by_digest = true;
};

struct RegistryEntry {
  std::string prefix;    // or "*.domain"
  std::string location;  // empty for a wildcard prefix without one
  bool insecure = false;
  bool blocked = false;
  std::vector<MirrorEntry> mirrors;
  std::string place;  // "FILE:LINE"

  // How much of "host[:port]/repository" the prefix covers; nullopt when it is not for it. A prefix ends where a
  // component does.
  std::optional<std::size_t> match(const std::string& name) const;
};

class RegistriesConf {
 public:
  // Adds what a file says; an entry replaces an earlier one of the same prefix. Throws Error{failure} "FILE:LINE: ...".
  void read(const std::filesystem::path& file);

  struct Found {
    const RegistryEntry* entry = nullptr;  // null: none is for the name
    std::size_t matched = 0;
  };
  // The entry with the longest match, an exact prefix before a wildcard.
  Found find(const std::string& name) const;
  // Some entry, or a mirror of one, says so of the host ("host[:port]").
  bool is_insecure(const std::string& host) const;

 private:
  std::vector<RegistryEntry> entries_;
};

}  // namespace tektii::registry
