#include "oci/descriptor_json.hpp"

#include <tektii/util/error.hpp>

namespace tektii::oci {

Digest read_digest(const nlohmann::json& value, const std::string& path) {
  if (!value.is_string()) throw Error(ErrorKind::failure, path + ": expected a digest");
  try {
    return Digest::parse(value.get_ref<const std::string&>());
  } catch (Error& error) {
    error.add_context(path);
    throw;
  }
}

Descriptor read_descriptor(const nlohmann::json& value, const std::string& path) {
  const ObjectReader reader(value, path);
  Descriptor descriptor{reader.require_string("mediaType"),
                        read_digest(reader.require("digest"), reader.path_of("digest")), reader.require_size("size")};
  descriptor.annotations = reader.string_map("annotations");
  if (const auto platform = reader.find_object("platform"))
    descriptor.platform = Platform{platform->require_string("os"), platform->require_string("architecture"),
                                   platform->string_or_empty("variant")};
  return descriptor;
}

// The key order of Go's specs-go structs, which nearly every image in the world has.
nlohmann::ordered_json write_descriptor(const Descriptor& descriptor) {
  nlohmann::ordered_json json;
  json["mediaType"] = descriptor.media_type;
  json["digest"] = descriptor.digest.str();
  json["size"] = descriptor.size;
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  if (descriptor.platform) {
    auto& platform = json["platform"];
    platform["architecture"] = descriptor.platform->architecture;
    platform["os"] = descriptor.platform->os;
    if (!descriptor.platform->variant.empty()) platform["variant"] = descriptor.platform->variant;
  }
  return json;
}

}  // namespace tektii::oci
