#include "run_options.hpp"

#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const char* option, const std::string& given, const std::string& what,
                         const std::string& hint = {}) {
  Error error(ErrorKind::usage, fmt::format("{} {}: {}", option, given, what));
  if (!hint.empty()) error.add_hint(hint);
  throw error;
}

void check_secret_file(const std::string& given, const fs::path& file) {
  constexpr std::uintmax_t k_largest = 500 << 10;
  std::error_code failure;
  if (!fs::exists(file, failure)) refuse("--secret", given, fmt::format("there is no file {}", file.string()));
  if (fs::is_directory(file, failure)) refuse("--secret", given, fmt::format("{} is a directory", file.string()));
  if (fs::is_regular_file(file, failure) && fs::file_size(file, failure) > k_largest) {
    refuse("--secret", given, "it is too big: a secret has at most 500 KiB");
  }
}

void read_secret(const std::string& given, builder::BuildRequest& request) {
  constexpr const char* k_hint = "use --secret id=ID,src=FILE or --secret id=ID,env=NAME";
  std::string id;
  std::string type;
  std::string file;
  std::string environment;
  for (const auto& field : split(given, ',')) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) refuse("--secret", given, fmt::format("{} is no key=value", field), k_hint);
    const auto key = to_lower(field.substr(0, equals));
    const auto value = field.substr(equals + 1);
    if (key == "id") {
      id = value;
    } else if (key == "type") {
      type = value;
    } else if (key == "src" || key == "source") {
      file = value;
    } else if (key == "env") {
      environment = value;
    } else {
      refuse("--secret", given, fmt::format("unknown key {}", key), k_hint);
    }
  }
  if (id.empty()) refuse("--secret", given, "the id is missing", k_hint);
  if (!type.empty() && type != "file" && type != "env") {
    refuse("--secret", given, fmt::format("type {} is not supported", type), k_hint);
  }
  if (type == "env" && environment.empty()) {
    environment = file.empty() ? id : file;
    file.clear();
  }
  if (environment.empty() && file.empty()) {
    // As docker: a variable of the id's name, else a file.
    (type != "file" && std::getenv(id.c_str()) != nullptr ? environment : file) = id;
  }
  builder::SecretSource source;
  if (!file.empty()) {
    check_secret_file(given, file);
    source.file = fs::absolute(file);
  } else {
    source.environment = environment;
  }
  request.secrets[id] = std::move(source);
}

fs::path agent_of_environment(const std::string& given) {
  const char* socket = std::getenv("SSH_AUTH_SOCK");
  if (socket != nullptr && *socket != '\0') return socket;
  refuse("--ssh", given, "there is no ssh agent: SSH_AUTH_SOCK is not set",
         fmt::format("start one (eval $(ssh-agent); ssh-add), or give a key: --ssh {}=FILE", given));
}

void read_ssh(const std::string& given, builder::BuildRequest& request, StartedAgents& agents) {
  const auto equals = given.find('=');
  const auto id = given.substr(0, equals).empty() ? std::string("default") : given.substr(0, equals);
  if (request.ssh_agents.contains(id)) refuse("--ssh", given, fmt::format("the id {} is given twice", id));
  if (equals == std::string::npos || equals + 1 == given.size()) {
    request.ssh_agents[id] = agent_of_environment(given);
    return;
  }
  std::vector<fs::path> keys;
  const auto paths = split(given.substr(equals + 1), ',');
  for (const auto& path : paths) {
    std::error_code failure;
    const auto status = fs::status(path, failure);
    if (!fs::exists(status)) refuse("--ssh", given, fmt::format("there is no file {}", path));
    if (!fs::is_socket(status)) {
      keys.push_back(fs::absolute(path));
    } else if (paths.size() > 1) {
      refuse("--ssh", given, "a socket can't be given together with others");
    } else {
      request.ssh_agents[id] = fs::absolute(path);
    }
  }
  if (keys.empty()) return;
  agents.push_back(std::make_shared<SshAgent>(keys));
  request.ssh_agents[id] = agents.back()->socket();
}

void read_allow(const std::string& given, builder::BuildRequest& request) {
  static const std::vector<std::string> known = {"network.host", "security.insecure"};
  if (std::find(known.begin(), known.end(), given) == known.end()) {
    const auto match = closest_match(given, known);
    refuse("--allow", given, "there is no such entitlement",
           match ? fmt::format("did you mean {}?", *match) : "network.host and security.insecure can be allowed");
  }
  request.entitlements.insert(given);
}

std::optional<std::uint64_t> parse_limit(const std::string& text) {
  const auto number = parse_int(text);
  if (!number || *number < -1) return std::nullopt;
  return *number == -1 ? exec::k_unlimited : static_cast<std::uint64_t>(*number);
}

void read_ulimit(const std::string& given, builder::BuildRequest& request) {
  constexpr const char* k_hint = "use NAME=SOFT[:HARD], for instance nofile=1024:4096; -1 is no limit";
  const auto equals = given.find('=');
  const auto name = given.substr(0, equals);
  const auto& names = exec::ulimit_names();
  if (equals == std::string::npos) refuse("--ulimit", given, "the value is missing", k_hint);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const auto match = closest_match(name, names);
    refuse("--ulimit", given, "there is no such limit",
           match ? fmt::format("did you mean {}?", *match) : "limits are " + join(names, ", "));
  }
  const auto values = split(given.substr(equals + 1), ':');
  const auto soft = parse_limit(values.front());
  const auto hard = parse_limit(values.back());
  if (values.size() > 2 || !soft || !hard) refuse("--ulimit", given, "the value is no number", k_hint);
  if (*soft > *hard) refuse("--ulimit", given, "the soft limit is above the hard one", k_hint);
  std::erase_if(request.ulimits, [&](const auto& limit) { return limit.name == name; });
  request.ulimits.push_back({name, *soft, *hard});
}

void read_host(const std::string& given, builder::BuildRequest& request) {
  constexpr const char* k_hint = "use NAME:ADDRESS, for instance db:10.0.0.5 or db:host-gateway";
  const auto separator = given.find_first_of("=:");
  if (separator == std::string::npos || separator == 0) refuse("--add-host", given, "the name is missing", k_hint);
  auto address = given.substr(separator + 1);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  // A command has the network of this machine.
  if (address == "host-gateway") address = "127.0.0.1";
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (::inet_pton(AF_INET, address.c_str(), ignored.data()) != 1 &&
      ::inet_pton(AF_INET6, address.c_str(), ignored.data()) != 1) {
    refuse("--add-host", given, fmt::format("{} is no IP address", address), k_hint);
  }
  request.extra_hosts.emplace_back(given.substr(0, separator), address);
}

void read_network(const std::string& given, builder::BuildRequest& request) {
  if (given != "default" && given != "none" && given != "host") {
    refuse("--network", given, "there is no such network", "use default, none or host");
  }
  request.default_network = given;
  // As docker: who gives it on the command line allows it.
  if (given == "host") request.entitlements.insert("network.host");
}

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("--secret", options.secrets, "For RUN --mount=type=secret: id=ID,src=FILE or id=ID,env=NAME")
      ->allow_extra_args(false);
  command.add_option("--ssh", options.ssh, "For RUN --mount=type=ssh: default (your agent), or ID[=SOCKET|KEY[,KEY]]")
      ->allow_extra_args(false);
  command
      .add_option("--allow", options.allow,
                  "Allow RUN --network=host or --security=insecure: network.host, security.insecure")
      ->allow_extra_args(false);
  command.add_option("--network", options.network, "Of a RUN that names none: default, none or host")
      ->capture_default_str();
  command.add_option("--add-host", options.add_hosts, "Line of /etc/hosts in RUN, NAME:ADDRESS")
      ->allow_extra_args(false);
  command
      .add_option("--snapshotter", options.snapshotter,
                  "How RUN gets its root file system: overlayfs (stacked layers), copy (reflinks or copies), or auto: "
                  "overlayfs where it works")
      ->envname("TEKTII_SNAPSHOTTER")
      ->capture_default_str();
  command.add_option("--shm-size", options.shm_size, "Size of /dev/shm in RUN [default: 64m]");
  command.add_option("--ulimit", options.ulimits, "Limit of RUN, NAME=SOFT[:HARD]")->allow_extra_args(false);
}

StartedAgents read_run_options(const RunOptions& options, builder::BuildRequest& request) {
  read_network(options.network, request);
  if (options.snapshotter != "auto" && options.snapshotter != "overlayfs" && options.snapshotter != "copy") {
    refuse("--snapshotter", options.snapshotter, "there is no such snapshotter", "use auto, overlayfs or copy");
  }
  for (const auto& allow : options.allow) read_allow(allow, request);
  for (const auto& secret : options.secrets) read_secret(secret, request);
  for (const auto& limit : options.ulimits) read_ulimit(limit, request);
  for (const auto& host : options.add_hosts) read_host(host, request);
  if (!options.shm_size.empty()) {
    request.shm_size = dockerfile::parse_ram_size(options.shm_size);
    if (!request.shm_size || *request.shm_size == 0) {
      refuse("--shm-size", options.shm_size, "this is no size", "use a number of bytes, or 256m or 1g");
    }
  }
  StartedAgents agents;  // last: nothing that costs a process is done for options that are wrong
  for (const auto& ssh : options.ssh) read_ssh(ssh, request, agents);
  return agents;
}

}  // namespace tektii::cli
