#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/mount.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/go_text.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

namespace tektii::dockerfile {
namespace {

const std::vector<std::string> k_types = {"bind", "cache", "tmpfs", "secret", "ssh"};
const std::vector<std::string> k_sharing_modes = {"shared", "private", "locked"};
const std::vector<std::string> k_keys = {"type", "from",    "source", "src",      "target",   "dst",      "destination",
                                         "id",   "sharing", "mode",   "uid",      "gid",      "required", "size",
                                         "env",  "ro",      "rw",     "readonly", "readwrite"};

[[noreturn]] void fail(std::string message) {
  throw Error(ErrorKind::usage, std::move(message));
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const auto match = closest_match(word, candidates);
  return match ? fmt::format(" (did you mean {}?)", *match) : std::string();
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool has_variable(std::string_view value) {
  return value.find('$') != std::string_view::npos;
}

// The keys that may stand without a value.
bool is_switch(std::string_view key) {
  return key == "readonly" || key == "ro" || key == "readwrite" || key == "rw" || key == "required";
}

bool is_uint32(std::string_view value, int base) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number, base);
  return !value.empty() && error == std::errc() && end == value.data() + value.size();
}

void check_value(const std::string& key, const std::string& value) {
  if (is_switch(key)) {
    // A bare key is stored without a value and means true.
    if (!value.empty() && !parse_go_bool(value)) fail(fmt::format("invalid value for {}: {}", key, value));
  } else if (key == "size") {
    if (!parse_ram_size(value)) fail(fmt::format("invalid value for size: {}", value));
  } else if (key == "sharing") {
    const std::string mode = to_lower(value);
    if (!contains(k_sharing_modes, mode)) {
      fail(fmt::format("unsupported sharing value {}{}", go_quote(value), did_you_mean(mode, k_sharing_modes)));
    }
  } else if (key == "mode" || key == "uid" || key == "gid") {
    if (!is_uint32(value, key == "mode" ? 8 : 10)) fail(fmt::format("invalid value {} for {}", value, key));
  } else if (key == "target" || key == "dst" || key == "destination") {
    if (!value.empty() && std::filesystem::path(value).lexically_normal() == "/") {
      fail(fmt::format("invalid mount target {}", go_quote(value)));
    }
  }
}

void check_key(const MountFlag& mount, const std::string& key) {
  const std::string& type = mount.type;
  const bool is_file = type == "secret" || type == "ssh";
  if ((key == "required" && !is_file) || (key == "size" && type != "tmpfs") || (key == "env" && type != "secret")) {
    fail(fmt::format("unexpected key '{}' for mount type '{}'", key, type));
  }
  if ((key == "mode" || key == "uid" || key == "gid") && !is_file && type != "cache") {
    fail(fmt::format("{} not allowed for {} type mounts", key, go_quote(type)));
  }
  if (type == "secret" && key == "from") fail("secret mount should not have a from");
  if (type == "secret" && key == "sharing") fail("secret mount should not define sharing");
  if (key == "sharing" && type != "cache") fail(fmt::format("invalid cache sharing set for {} mount", type));
}

void check_secret(const MountFlag& mount) {
  bool has_source = false;
  bool has_target = false;
  bool has_id = false;
  for (const auto& [key, value] : mount.options) {
    if (value.empty()) continue;
    has_source = has_source || key == "source" || key == "src";
    has_target = has_target || key == "target" || key == "dst" || key == "destination";
    has_id = has_id || key == "id";
  }
  if (!has_source && !has_target && !has_id) fail("invalid secret mount. one of source, target required");
  if (has_source && has_id) fail("both source and id can't be set");
}

void check_type(const std::string& type) {
  if (contains(k_types, type)) return;
  fail(fmt::format("unsupported mount type {}{}", go_quote(type), did_you_mean(type, k_types)));
}

// Unless the values are `final`, what hangs on a variable is left out.
void check_mount(const MountFlag& mount, bool is_final) {
  if (!is_final && has_variable(mount.type)) return;
  check_type(mount.type);
  for (const auto& [key, value] : mount.options) {
    check_key(mount, key);
    if (is_final || !has_variable(value)) check_value(key, value);
  }
  if (mount.type == "secret") check_secret(mount);
}

}  // namespace

MountFlag parse_mount(std::string_view csv) {
  MountFlag mount;
  for (const std::string& field : split_csv(csv, "csv mounts")) {
    const std::size_t equals = field.find('=');
    const bool bare = equals == std::string::npos;
    const std::string key = to_lower(field.substr(0, equals));
    if (!contains(k_keys, key) && !bare) {
      fail(fmt::format("unexpected key '{}' in '{}'{}", key, field, did_you_mean(key, k_keys)));
    }
    if (bare && !is_switch(key)) {
      fail(fmt::format("invalid field '{}' must be a key=value pair", field));
    }
    std::string value = bare ? std::string() : field.substr(equals + 1);
    if (key == "from" && has_variable(value)) {
      fail("'from' doesn't support variable expansion, define alias stage instead");
    }
    if (!bare && value.empty() && is_switch(key)) fail(fmt::format("invalid value for {}: ", key));
    if (key == "type") {
      mount.type = has_variable(value) ? value : to_lower(value);
      if (!has_variable(value)) check_type(mount.type);
    } else {
      mount.options.emplace_back(key, std::move(value));
    }
  }
  check_mount(mount, false);
  return mount;
}

MountFlag expand_mount(const MountFlag& mount, const Lookup& lookup, const ExpandOptions& options) {
  MountFlag expanded;
  expanded.type = to_lower(expand_word(mount.type, lookup, options).text);
  for (const auto& [key, value] : mount.options) {
    std::string text = key == "from" ? value : expand_word(value, lookup, options).text;
    if (text.empty() && !value.empty() && is_switch(key)) fail(fmt::format("invalid value for {}: ", key));
    expanded.options.emplace_back(key, std::move(text));
  }
  check_mount(expanded, true);
  return expanded;
}

}  // namespace tektii::dockerfile
