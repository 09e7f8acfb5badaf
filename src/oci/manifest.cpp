#include "oci/descriptor_json.hpp"
#include "oci/json.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::oci {

namespace {

constexpr std::size_t k_max_layers = 1000;
constexpr std::size_t k_max_index_entries = 10000;

// Both kinds of document share schemaVersion and mediaType, and the ways to lie about them.
std::string check_header(const ObjectReader& reader, std::string_view fallback_type) {
  const auto media_type = reader.find_string("mediaType").value_or(std::string(fallback_type));
  const auto version = reader.find_int("schemaVersion");
  if (version == 1 || media_type.starts_with("application/vnd.docker.distribution.manifest.v1+")) {
    Error error(ErrorKind::failure,
                reader.path() + ": a Docker schema 1 manifest, a format that was retired and is not supported");
    error.add_hint("push the image again with a current tool, which makes a schema 2 or OCI manifest");
    throw error;
  }
  if (version != 2) reader.fail("schemaVersion", "expected 2");
  // One text that is a manifest to one reader and an index to another (CVE-2021-41190).
  if (reader.find("manifests") != nullptr && (reader.find("layers") != nullptr || reader.find("config") != nullptr))
    throw Error(ErrorKind::failure, reader.path() + ": both a manifest and an index");
  return media_type;
}

std::vector<Descriptor> read_descriptors(const ObjectReader& reader, std::string_view name, std::size_t limit) {
  reader.require(name);
  const auto& array = *reader.find_array(name);
  if (array.size() > limit)
    reader.fail(name, fmt::format("{} entries are more than the allowed {}", array.size(), limit));
  std::vector<Descriptor> descriptors;
  descriptors.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i)
    descriptors.push_back(read_descriptor(array[i], fmt::format("{}[{}]", reader.path_of(name), i)));
  return descriptors;
}

nlohmann::ordered_json write_descriptors(const std::vector<Descriptor>& descriptors) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& descriptor : descriptors) array.push_back(write_descriptor(descriptor));
  return array;
}

// BuildKit hangs provenance into the index as a manifest for the platform "unknown/unknown".
bool is_attestation(const Descriptor& descriptor) {
  return descriptor.platform && descriptor.platform->os == "unknown" && descriptor.platform->architecture == "unknown";
}

}  // namespace

Manifest Manifest::parse(std::string_view json) {
  const auto document = parse_document(json, "image manifest");
  const ObjectReader reader(document, "image manifest");
  auto media_type = check_header(reader, k_media_manifest);
  if (!is_manifest(media_type))
    reader.fail("mediaType", fmt::format("\"{}\" is not an image manifest", escape_control(media_type)));
  return Manifest{std::move(media_type), read_descriptor(reader.require("config"), reader.path_of("config")),
                  read_descriptors(reader, "layers", k_max_layers), reader.string_map("annotations")};
}

std::string Manifest::serialise() const {
  nlohmann::ordered_json json;
  json["schemaVersion"] = 2;
  json["mediaType"] = media_type;
  json["config"] = write_descriptor(config);
  json["layers"] = write_descriptors(layers);
  if (!annotations.empty()) json["annotations"] = annotations;
  return dump(json);
}

Index Index::parse(std::string_view json) {
  const auto document = parse_document(json, "image index");
  const ObjectReader reader(document, "image index");
  auto media_type = check_header(reader, k_media_index);
  if (!is_index(media_type))
    reader.fail("mediaType", fmt::format("\"{}\" is not an image index", escape_control(media_type)));
  return Index{std::move(media_type), read_descriptors(reader, "manifests", k_max_index_entries),
               reader.string_map("annotations")};
}

std::string Index::serialise() const {
  nlohmann::ordered_json json;
  json["schemaVersion"] = 2;
  json["mediaType"] = media_type;
  json["manifests"] = write_descriptors(manifests);
  if (!annotations.empty()) json["annotations"] = annotations;
  return dump(json);
}

const Descriptor* Index::find(const Platform& platform) const {
  const auto wanted = platform.normalised();
  const auto it = std::find_if(manifests.begin(), manifests.end(), [&](const Descriptor& entry) {
    return entry.platform && !is_attestation(entry) && entry.platform->normalised() == wanted;
  });
  return it == manifests.end() ? nullptr : &*it;
}

std::string Index::platforms() const {
  constexpr std::size_t k_shown = 20;
  std::vector<std::string> names;
  for (const auto& entry : manifests) {
    if (!entry.platform || is_attestation(entry)) continue;
    auto name = escape_control(entry.platform->str());
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    if (names.size() > k_shown) {
      names.back() = "...";
      break;
    }
  }
  return join(names, ", ");
}

}  // namespace tektii::oci
