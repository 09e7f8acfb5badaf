#pragma once

#include <tektii/exec/executor.hpp>

#include <nlohmann/json.hpp>

#include <string_view>
#include <vector>

namespace tektii::exec {

// The mounts of a plan as JSON. Of a secret it holds the size alone: the bytes go through a descriptor of their own.
nlohmann::json encode_mounts(const std::vector<Mount>& mounts);
// `secrets` are the bytes of the secrets behind each other; what is used is cut off its front.
std::vector<Mount> decode_mounts(const nlohmann::json& array, std::string_view& secrets);

nlohmann::json encode_secret_env(const std::vector<SecretVariable>& variables);
std::vector<SecretVariable> decode_secret_env(const nlohmann::json& array, std::string_view& secrets);

}  // namespace tektii::exec
