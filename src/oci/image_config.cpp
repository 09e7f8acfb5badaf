#include "oci/descriptor_json.hpp"
#include "oci/json.hpp"
#include <tektii/oci/image_config.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace tektii::oci {

namespace {

constexpr std::size_t k_max_layers = 1000;

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 12> k_container_members = {
    "User",       "ExposedPorts", "Env",        "Entrypoint",  "Cmd",     "Volumes",
    "WorkingDir", "Labels",       "StopSignal", "Healthcheck", "OnBuild", "Shell"};
constexpr std::array<std::string_view, 8> k_image_members = {"created", "author", "architecture", "os",
                                                             "variant", "config", "rootfs",       "history"};

std::map<std::string, std::string> read_unknown(const ObjectReader& reader, Names known) {
  std::map<std::string, std::string> unknown;
  for (const auto& [name, value] : reader.value().items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown.emplace(name, dump(value));
  }
  return unknown;
}

// ExposedPorts and Volumes are Go's map[string]struct{}: only the names mean something.
std::set<std::string> read_name_set(const ObjectReader& reader, std::string_view name) {
  std::set<std::string> names;
  if (const auto object = reader.find_object(name)) {
    for (const auto& item : object->value().items()) names.insert(item.key());
  }
  return names;
}

// Docker reads a single string as a list of one (its StrSlice), and old images have it.
std::optional<std::vector<std::string>> read_command(const ObjectReader& reader, std::string_view name) {
  const auto* member = reader.find(name);
  if (member == nullptr) return std::nullopt;
  if (member->is_string()) return std::vector<std::string>{member->get<std::string>()};
  return reader.string_list(name);
}

Healthcheck read_healthcheck(const ObjectReader& reader) {
  Healthcheck check;
  check.test = reader.string_list("Test");
  check.interval = reader.find_int("Interval");
  check.timeout = reader.find_int("Timeout");
  check.start_period = reader.find_int("StartPeriod");
  check.start_interval = reader.find_int("StartInterval");
  check.retries = reader.find_int("Retries");
  return check;
}

ContainerConfig read_container_config(const ObjectReader& reader) {
  ContainerConfig config;
  config.user = reader.string_or_empty("User");
  config.exposed_ports = read_name_set(reader, "ExposedPorts");
  config.env = reader.string_list("Env");
  config.entrypoint = read_command(reader, "Entrypoint");
  config.cmd = read_command(reader, "Cmd");
  config.volumes = read_name_set(reader, "Volumes");
  config.working_dir = reader.string_or_empty("WorkingDir");
  config.labels = reader.string_map("Labels");
  config.stop_signal = reader.string_or_empty("StopSignal");
  config.shell = reader.string_list("Shell");
  config.on_build = reader.string_list("OnBuild");
  if (const auto check = reader.find_object("Healthcheck")) config.healthcheck = read_healthcheck(*check);
  config.unknown = read_unknown(reader, k_container_members);
  return config;
}

std::vector<Digest> read_diff_ids(const ObjectReader& reader) {
  const auto rootfs = reader.find_object("rootfs");
  if (!rootfs) reader.fail("rootfs", "missing");
  const auto type = rootfs->require_string("type");
  if (type != "layers") rootfs->fail("type", "expected \"layers\"");
  std::vector<Digest> diff_ids;
  const auto* array = rootfs->find_array("diff_ids");
  if (array == nullptr) return diff_ids;
  if (array->size() > k_max_layers) rootfs->fail("diff_ids", fmt::format("more than the allowed {}", k_max_layers));
  for (std::size_t i = 0; i < array->size(); ++i)
    diff_ids.push_back(read_digest((*array)[i], fmt::format("{}[{}]", rootfs->path_of("diff_ids"), i)));
  return diff_ids;
}

std::vector<HistoryEntry> read_history(const ObjectReader& reader) {
  std::vector<HistoryEntry> history;
  const auto* array = reader.find_array("history");
  if (array == nullptr) return history;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const ObjectReader entry((*array)[i], fmt::format("{}[{}]", reader.path_of("history"), i));
    history.push_back(HistoryEntry{entry.find_string("created"), entry.find_string("author"),
                                   entry.find_string("created_by"), entry.find_string("comment"),
                                   entry.find_bool("empty_layer")});
  }
  return history;
}

// The names are unique already: json[name] would search for each of them from the beginning.
nlohmann::ordered_json write_name_set(const std::set<std::string>& names) {
  nlohmann::ordered_json::object_t members;
  members.reserve(names.size());
  for (const auto& name : names) members.push_back({name, nlohmann::ordered_json::object()});
  return members;
}

nlohmann::ordered_json write_labels(const std::map<std::string, std::string>& labels) {
  nlohmann::ordered_json::object_t members;
  members.reserve(labels.size());
  for (const auto& [name, value] : labels) members.push_back({name, value});
  return members;
}

nlohmann::ordered_json parse_member(const std::string& name, const std::string& text) {
  auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) throw Error(ErrorKind::failure, fmt::format("image config: {}: not valid JSON", name));
  return json;
}

void write_unknown(nlohmann::ordered_json& json, const std::map<std::string, std::string>& unknown) {
  for (const auto& [name, text] : unknown) json[name] = parse_member(name, text);
}

nlohmann::ordered_json write_healthcheck(const Healthcheck& check) {
  auto json = nlohmann::ordered_json::object();
  if (!check.test.empty()) json["Test"] = check.test;
  if (check.interval != 0) json["Interval"] = check.interval;
  if (check.timeout != 0) json["Timeout"] = check.timeout;
  if (check.start_period != 0) json["StartPeriod"] = check.start_period;
  if (check.start_interval != 0) json["StartInterval"] = check.start_interval;
  if (check.retries != 0) json["Retries"] = check.retries;
  return json;
}

// The member order of Docker's Go struct, empty members left out as `omitempty` does.
nlohmann::ordered_json write_container_config(const ContainerConfig& config) {
  auto json = nlohmann::ordered_json::object();
  if (!config.user.empty()) json["User"] = config.user;
  if (!config.exposed_ports.empty()) json["ExposedPorts"] = write_name_set(config.exposed_ports);
  if (!config.env.empty()) json["Env"] = config.env;
  if (config.entrypoint && !config.entrypoint->empty()) json["Entrypoint"] = *config.entrypoint;
  if (config.cmd && !config.cmd->empty()) json["Cmd"] = *config.cmd;
  if (!config.volumes.empty()) json["Volumes"] = write_name_set(config.volumes);
  if (!config.working_dir.empty()) json["WorkingDir"] = config.working_dir;
  if (!config.labels.empty()) json["Labels"] = write_labels(config.labels);
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  if (config.healthcheck) json["Healthcheck"] = write_healthcheck(*config.healthcheck);
  if (!config.on_build.empty()) json["OnBuild"] = config.on_build;
  if (!config.shell.empty()) json["Shell"] = config.shell;
  write_unknown(json, config.unknown);
  return json;
}

nlohmann::ordered_json write_history(const std::vector<HistoryEntry>& history) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& entry : history) {
    auto json = nlohmann::ordered_json::object();
    if (entry.created) json["created"] = *entry.created;
    if (entry.created_by) json["created_by"] = *entry.created_by;
    if (entry.author) json["author"] = *entry.author;
    if (entry.comment) json["comment"] = *entry.comment;
    if (entry.empty_layer) json["empty_layer"] = true;
    array.push_back(std::move(json));
  }
  return array;
}

nlohmann::ordered_json write_rootfs(const std::vector<Digest>& diff_ids) {
  nlohmann::ordered_json json;
  json["type"] = "layers";
  auto& array = json["diff_ids"] = nlohmann::ordered_json::array();
  for (const auto& diff_id : diff_ids) array.push_back(diff_id.str());
  return json;
}

}  // namespace

std::optional<std::string> ContainerConfig::get_env(std::string_view name) const {
  for (const auto& entry : env) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  }
  return std::nullopt;
}

void ContainerConfig::set_env(std::string_view name, std::string_view value) {
  auto text = fmt::format("{}={}", name, value);
  const auto it = std::find_if(env.begin(), env.end(), [&](const std::string& entry) {
    return std::string_view(entry).substr(0, entry.find('=')) == name;
  });
  if (it == env.end()) {
    env.push_back(std::move(text));
  } else {
    *it = std::move(text);
  }
}

ImageConfig ImageConfig::parse(std::string_view json) {
  const auto document = parse_document(json, "image config");
  const ObjectReader reader(document, "image config");
  ImageConfig image;
  image.created = reader.find_string("created");
  image.author = reader.find_string("author");
  image.platform =
      Platform{reader.require_string("os"), reader.require_string("architecture"), reader.string_or_empty("variant")};
  image.diff_ids = read_diff_ids(reader);
  image.history = read_history(reader);
  if (const auto config = reader.find_object("config")) image.config = read_container_config(*config);
  image.unknown = read_unknown(reader, k_image_members);
  return image;
}

// BuildKit passes the config through a Go map, which sorts the top-level members; below that, struct order holds.
std::string ImageConfig::serialise() const {
  std::map<std::string, nlohmann::ordered_json> members;
  for (const auto& [name, text] : unknown) members[name] = parse_member(name, text);
  members["architecture"] = platform.architecture;
  if (author) members["author"] = *author;
  members["config"] = write_container_config(config);
  if (created) members["created"] = *created;
  if (!history.empty()) members["history"] = write_history(history);
  members["os"] = platform.os;
  members["rootfs"] = write_rootfs(diff_ids);
  if (!platform.variant.empty()) members["variant"] = platform.variant;

  nlohmann::ordered_json json;
  for (auto& [name, value] : members) json[name] = std::move(value);
  return dump(json);
}

}  // namespace tektii::oci
