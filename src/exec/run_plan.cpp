#include "run_plan.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace tektii::exec {

namespace {

using nlohmann::json;

// JSON strings have to be UTF-8, but paths, arguments and environments are bytes.
json encode(const std::string& bytes) {
  return base64_encode(bytes);
}

std::string decode(const json& value) {
  std::optional<std::string> bytes = base64_decode(value.get_ref<const std::string&>());
  if (!bytes) throw Error(ErrorKind::failure, "malformed run plan");
  return std::move(*bytes);
}

json encode_list(const std::vector<std::string>& list) {
  json array = json::array();
  for (const std::string& item : list) array.push_back(encode(item));
  return array;
}

std::vector<std::string> decode_list(const json& array) {
  std::vector<std::string> list;
  for (const json& item : array) list.push_back(decode(item));
  return list;
}

}  // namespace

std::string serialize_plan(const RunPlan& plan) {
  json lower_dirs = json::array();
  for (const auto& directory : plan.rootfs.lower_dirs) lower_dirs.push_back(encode(directory.string()));
  const json document = {
      {"lower_dirs", std::move(lower_dirs)},
      {"upper_dir", encode(plan.rootfs.upper_dir.string())},
      {"work_dir", encode(plan.rootfs.work_dir.string())},
      {"argv", encode_list(plan.spec.argv)},
      {"env", encode_list(plan.spec.env)},
      {"working_dir", encode(plan.spec.working_dir)},
      {"uid", plan.spec.uid},
      {"gid", plan.spec.gid},
      {"supplementary_groups", plan.spec.supplementary_groups},
      {"host_name", encode(plan.spec.host_name)},
      {"network", plan.spec.network == NetworkMode::host ? "host" : "none"},
      {"parent", plan.parent},
  };
  return document.dump();
}

RunPlan parse_plan(std::string_view text) {
  RunPlan plan;
  try {
    const json document = json::parse(text);
    for (const std::string& path : decode_list(document.at("lower_dirs"))) plan.rootfs.lower_dirs.emplace_back(path);
    plan.rootfs.upper_dir = decode(document.at("upper_dir"));
    plan.rootfs.work_dir = decode(document.at("work_dir"));
    plan.spec.argv = decode_list(document.at("argv"));
    plan.spec.env = decode_list(document.at("env"));
    plan.spec.working_dir = decode(document.at("working_dir"));
    plan.spec.uid = document.at("uid").get<std::uint32_t>();
    plan.spec.gid = document.at("gid").get<std::uint32_t>();
    plan.spec.supplementary_groups = document.at("supplementary_groups").get<std::vector<std::uint32_t>>();
    plan.spec.host_name = decode(document.at("host_name"));
    plan.spec.network = document.at("network").get<std::string>() == "none" ? NetworkMode::none : NetworkMode::host;
    plan.parent = document.at("parent").get<pid_t>();
  } catch (const json::exception& error) {
    throw Error(ErrorKind::failure, std::string("malformed run plan: ") + error.what());
  }
  return plan;
}

}  // namespace tektii::exec
