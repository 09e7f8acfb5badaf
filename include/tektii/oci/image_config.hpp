#pragma once

#include <tektii/oci/digest.hpp>
#include <tektii/oci/platform.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::oci {

struct HistoryEntry {
  std::optional<std::string> created = std::nullopt;  // RFC 3339
  std::optional<std::string> author = std::nullopt;
  std::optional<std::string> created_by = std::nullopt;
  std::optional<std::string> comment = std::nullopt;
  bool empty_layer = false;
  bool operator==(const HistoryEntry&) const = default;
};

// Docker's extension of the OCI config; durations in nanoseconds, 0 = inherit.
struct Healthcheck {
  std::vector<std::string> test;  // {"NONE"}, {"CMD", ...} or {"CMD-SHELL", text}
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t start_period = 0;
  std::int64_t start_interval = 0;
  std::int64_t retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

// The "config" object: defaults for a container.
struct ContainerConfig {
  std::string user;
  std::set<std::string> exposed_ports;  // "8080/tcp"
  std::vector<std::string> env;         // "NAME=value", in order of first definition
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::set<std::string> volumes;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::vector<std::string> shell;
  std::vector<std::string> on_build;
  std::optional<Healthcheck> healthcheck;
  std::map<std::string, std::string> unknown;  // other members, name -> JSON text; kept as they came
  bool operator==(const ContainerConfig&) const = default;

  // Value of NAME in env, if any.
  std::optional<std::string> get_env(std::string_view name) const;
  // Replaces NAME in place or appends it.
  void set_env(std::string_view name, std::string_view value);
};

// image-spec config.md. Unknown fields are kept, at the top and in "config".
struct ImageConfig {
  std::optional<std::string> created;
  std::optional<std::string> author;
  Platform platform;
  std::vector<Digest> diff_ids;
  std::vector<HistoryEntry> history;
  ContainerConfig config;
  std::map<std::string, std::string> unknown;

  static ImageConfig parse(std::string_view json);  // strict, same limits as Manifest::parse
  std::string serialise() const;                    // byte-exact, keys sorted as Docker and BuildKit write them
};

}  // namespace tektii::oci
