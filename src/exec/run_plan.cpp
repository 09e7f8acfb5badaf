#include "run_plan.hpp"

#include "plan_bytes.hpp"
#include "plan_mounts.hpp"

namespace tektii::exec {

namespace {

using nlohmann::json;

json encode_ulimits(const std::vector<Ulimit>& ulimits) {
  json array = json::array();
  for (const Ulimit& limit : ulimits) array.push_back({limit.name, limit.soft, limit.hard});
  return array;
}

json encode_hosts(const RunSpec& spec) {
  json array = json::array();
  for (const auto& [name, address] : spec.extra_hosts) array.push_back({encode_bytes(name), encode_bytes(address)});
  return array;
}

json encode_spec(const RunSpec& spec) {
  json object = {
      {"argv", encode_byte_list(spec.argv)},
      {"env", encode_byte_list(spec.env)},
      {"working_dir", encode_bytes(spec.working_dir)},
      {"uid", spec.uid},
      {"gid", spec.gid},
      {"supplementary_groups", spec.supplementary_groups},
      {"host_name", encode_bytes(spec.host_name)},
      {"network", spec.network == NetworkMode::host ? "host" : "none"},
      {"security", spec.security == SecurityMode::insecure ? "insecure" : "sandbox"},
      {"mounts", encode_mounts(spec.mounts)},
      {"secret_env", encode_secret_env(spec.secret_env)},
      {"ulimits", encode_ulimits(spec.ulimits)},
      {"extra_hosts", encode_hosts(spec)},
  };
  if (spec.shm_size) object["shm_size"] = *spec.shm_size;
  return object;
}

RunSpec decode_spec(const json& object, std::string_view secrets) {
  RunSpec spec;
  spec.argv = decode_byte_list<std::string>(object.at("argv"));
  spec.env = decode_byte_list<std::string>(object.at("env"));
  spec.working_dir = decode_bytes(object.at("working_dir"));
  spec.uid = object.at("uid").get<std::uint32_t>();
  spec.gid = object.at("gid").get<std::uint32_t>();
  spec.supplementary_groups = object.at("supplementary_groups").get<std::vector<std::uint32_t>>();
  spec.host_name = decode_bytes(object.at("host_name"));
  spec.network = object.at("network").get<std::string>() == "none" ? NetworkMode::none : NetworkMode::host;
  const bool insecure = object.at("security").get<std::string>() == "insecure";
  spec.security = insecure ? SecurityMode::insecure : SecurityMode::sandbox;
  spec.mounts = decode_mounts(object.at("mounts"), secrets);
  spec.secret_env = decode_secret_env(object.at("secret_env"), secrets);
  for (const json& limit : object.at("ulimits")) {
    spec.ulimits.push_back(
        {limit.at(0).get<std::string>(), limit.at(1).get<std::uint64_t>(), limit.at(2).get<std::uint64_t>()});
  }
  for (const json& host : object.at("extra_hosts")) {
    spec.extra_hosts.emplace_back(decode_bytes(host.at(0)), decode_bytes(host.at(1)));
  }
  if (object.contains("shm_size")) spec.shm_size = object.at("shm_size").get<std::uint64_t>();
  return spec;
}

}  // namespace

std::string serialize_plan(const RunPlan& plan) {
  json lower_dirs = json::array();
  for (const auto& directory : plan.rootfs.lower_dirs) lower_dirs.push_back(encode_bytes(directory.string()));
  const json document = {
      {"lower_dirs", std::move(lower_dirs)},
      {"upper_dir", encode_bytes(plan.rootfs.upper_dir.string())},
      {"work_dir", encode_bytes(plan.rootfs.work_dir.string())},
      {"root_dir", encode_bytes(plan.rootfs.root_dir.string())},
      {"spec", encode_spec(plan.spec)},
      {"parent", plan.parent},
  };
  return document.dump();
}

void for_each_secret(const RunPlan& plan, const std::function<void(std::string_view)>& write) {
  for (const Mount& mount : plan.spec.mounts) {
    if (const auto* secret = std::get_if<SecretSource>(&mount.source)) write(secret->content.reveal());
  }
  for (const SecretVariable& variable : plan.spec.secret_env) write(variable.value.reveal());
}

RunPlan parse_plan(std::string_view text, std::string_view secrets) {
  RunPlan plan;
  try {
    const json document = json::parse(text);
    plan.rootfs.lower_dirs = decode_byte_list<std::filesystem::path>(document.at("lower_dirs"));
    plan.rootfs.upper_dir = decode_bytes(document.at("upper_dir"));
    plan.rootfs.work_dir = decode_bytes(document.at("work_dir"));
    plan.rootfs.root_dir = decode_bytes(document.at("root_dir"));
    plan.spec = decode_spec(document.at("spec"), secrets);
    plan.parent = document.at("parent").get<pid_t>();
  } catch (const json::exception& error) {
    throw Error(ErrorKind::failure, std::string("malformed run plan: ") + error.what());
  }
  return plan;
}

}  // namespace tektii::exec
