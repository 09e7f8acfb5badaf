#include "plan_mounts.hpp"

#include "plan_bytes.hpp"

namespace tektii::exec {

namespace {

using nlohmann::json;

json encode(const OverlaySource& source) {
  json lower_dirs = json::array();
  for (const auto& directory : source.lower_dirs) lower_dirs.push_back(encode_bytes(directory.string()));
  return {{"kind", "overlay"},
          {"lower_dirs", std::move(lower_dirs)},
          {"upper_dir", encode_bytes(source.upper_dir.string())},
          {"work_dir", encode_bytes(source.work_dir.string())},
          {"path", encode_bytes(source.path)}};
}

json encode(const HostSource& source) {
  return {{"kind", "host"}, {"path", encode_bytes(source.path.string())}};
}

json encode(const TmpfsSource& source) {
  json object = {{"kind", "tmpfs"}};
  if (source.size) object["size"] = *source.size;
  return object;
}

json encode(const SecretSource& source) {
  return {{"kind", "secret"},
          {"size", source.content.reveal().size()},
          {"mode", source.mode},
          {"uid", source.uid},
          {"gid", source.gid}};
}

Secret take_secret(const json& size, std::string_view& secrets) {
  const auto count = size.get<std::size_t>();
  if (count > secrets.size()) throw Error(ErrorKind::failure, "malformed run plan: a secret is missing");
  Secret secret(std::string(secrets.substr(0, count)));
  secrets.remove_prefix(count);
  return secret;
}

OverlaySource decode_overlay(const json& object) {
  return {decode_byte_list<std::filesystem::path>(object.at("lower_dirs")), decode_bytes(object.at("upper_dir")),
          decode_bytes(object.at("work_dir")), decode_bytes(object.at("path"))};
}

void decode_source(const json& object, std::string_view& secrets, Mount& mount) {
  const auto kind = object.at("kind").get<std::string>();
  if (kind == "overlay") {
    mount.source = decode_overlay(object);
  } else if (kind == "host") {
    mount.source = HostSource{decode_bytes(object.at("path"))};
  } else if (kind == "tmpfs") {
    TmpfsSource source;
    if (object.contains("size")) source.size = object.at("size").get<std::uint64_t>();
    mount.source = source;
  } else {
    mount.source = SecretSource{take_secret(object.at("size"), secrets), object.at("mode").get<std::uint32_t>(),
                                object.at("uid").get<std::uint32_t>(), object.at("gid").get<std::uint32_t>()};
  }
}

}  // namespace

json encode_mounts(const std::vector<Mount>& mounts) {
  json array = json::array();
  for (const Mount& mount : mounts) {
    json object = std::visit([](const auto& source) { return encode(source); }, mount.source);
    object["target"] = encode_bytes(mount.target);
    object["read_only"] = mount.read_only;
    array.push_back(std::move(object));
  }
  return array;
}

std::vector<Mount> decode_mounts(const json& array, std::string_view& secrets) {
  std::vector<Mount> mounts;
  for (const json& object : array) {
    Mount mount;
    mount.target = decode_bytes(object.at("target"));
    mount.read_only = object.at("read_only").get<bool>();
    decode_source(object, secrets, mount);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

json encode_secret_env(const std::vector<SecretVariable>& variables) {
  json array = json::array();
  for (const SecretVariable& variable : variables) {
    array.push_back({{"name", encode_bytes(variable.name)}, {"size", variable.value.reveal().size()}});
  }
  return array;
}

std::vector<SecretVariable> decode_secret_env(const json& array, std::string_view& secrets) {
  std::vector<SecretVariable> variables;
  for (const json& object : array) {
    std::string name = decode_bytes(object.at("name"));
    variables.push_back({std::move(name), take_secret(object.at("size"), secrets)});
  }
  return variables;
}

}  // namespace tektii::exec
