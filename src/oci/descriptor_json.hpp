#pragma once

#include "oci/json.hpp"
#include <tektii/oci/descriptor.hpp>

namespace tektii::oci {

Descriptor read_descriptor(const nlohmann::json& value, const std::string& path);
nlohmann::ordered_json write_descriptor(const Descriptor& descriptor);
Digest read_digest(const nlohmann::json& value, const std::string& path);

}  // namespace tektii::oci
