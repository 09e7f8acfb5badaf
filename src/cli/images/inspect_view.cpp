#include "cli/images/inspect_view.hpp"

#include "cli/table.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

namespace tektii::cli {
namespace {

using Json = nlohmann::ordered_json;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void add(Fields& fields, const std::string& name, const std::string& value) {
  if (!value.empty()) fields.emplace_back(name, value);
}

std::string words(const std::optional<std::vector<std::string>>& list) {
  return list ? Json(*list).dump(-1, ' ', false, Json::error_handler_t::replace) : std::string();
}

// What each layer was made by, as far as the history tells: it also has entries without a layer.
std::vector<std::string> makers(const InspectedImage& image) {
  std::vector<std::string> result;
  if (!image.config) return result;
  for (const auto& entry : image.config->history) {
    if (!entry.empty_layer) result.push_back(entry.created_by.value_or(std::string()));
  }
  if (result.size() != image.parsed.layers.size()) result.clear();
  return result;
}

std::string shortened(const std::string& text) {
  constexpr std::size_t k_shown = 60;
  if (text.size() <= k_shown) return text;
  std::size_t end = k_shown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

std::string platform_of(const oci::Descriptor& entry) {
  return entry.platform ? entry.platform->str() : std::string("-");
}

void add_config(Fields& fields, const oci::ImageConfig& config) {
  add(fields, "Platform", config.platform.str());
  add(fields, "Created", config.created.value_or(std::string()));
  add(fields, "Author", config.author.value_or(std::string()));
  add(fields, "User", config.config.user);
  add(fields, "Working dir", config.config.working_dir);
  add(fields, "Entrypoint", words(config.config.entrypoint));
  add(fields, "Cmd", words(config.config.cmd));
  for (const auto& variable : config.config.env) fields.emplace_back("Env", variable);
  const auto& ports = config.config.exposed_ports;
  add(fields, "Ports", join(std::vector<std::string>(ports.begin(), ports.end()), ", "));
  const auto& volumes = config.config.volumes;
  add(fields, "Volumes", join(std::vector<std::string>(volumes.begin(), volumes.end()), ", "));
  for (const auto& [name, value] : config.config.labels) fields.emplace_back("Label", name + "=" + value);
}

Json descriptor_json(const oci::Descriptor& descriptor) {
  Json json = {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest.str()}, {"size", descriptor.size}};
  if (descriptor.platform) json["platform"] = descriptor.platform->str();
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  return json;
}

Json layers_of(const InspectedImage& image) {
  const auto made_by = makers(image);
  auto layers = Json::array();
  for (std::size_t i = 0; i < image.parsed.layers.size(); ++i) {
    auto layer = descriptor_json(image.parsed.layers[i]);
    if (image.config && i < image.config->diff_ids.size()) layer["diffId"] = image.config->diff_ids[i].str();
    if (!made_by.empty()) layer["createdBy"] = made_by[i];
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace

std::uint64_t InspectedImage::layer_bytes() const {
  std::uint64_t total = 0;
  for (const auto& layer : parsed.layers) total += layer.size;
  return total;
}

std::string inspect_text(const InspectedImage& image) {
  Fields fields;
  add(fields, "Name", image.name);
  add(fields, "Digest", image.top.descriptor.digest.str());
  add(fields, "Type", image.top.descriptor.media_type);
  if (image.index) {
    add(fields, "Platforms", image.index->platforms());
    add(fields, "Manifest", image.manifest.descriptor.digest.str());
  }
  add(fields, "Image id", image.parsed.config.digest.str());
  add(fields, "Layers", fmt::format("{}, {}", image.parsed.layers.size(), format_bytes(image.layer_bytes())));
  if (image.config) {
    add_config(fields, *image.config);
  } else {
    add(fields, "Config type", image.parsed.config.media_type);
  }
  for (const auto& [name, value] : image.parsed.annotations) fields.emplace_back("Annotation", name + "=" + value);
  auto text = render_record(fields);
  if (!image.index) return text;
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : image.index->manifests) {
    rows.push_back({platform_of(entry), entry.digest.str(), format_bytes(entry.size)});
  }
  return text + render_table({"Platform", "Manifest", "Size"}, rows);
}

std::string inspect_json(const InspectedImage& image) {
  Json json = {{"name", image.name},
               {"digest", image.top.descriptor.digest.str()},
               {"mediaType", image.top.descriptor.media_type}};
  if (image.index) {
    json["manifests"] = Json::array();
    for (const auto& entry : image.index->manifests) json["manifests"].push_back(descriptor_json(entry));
    json["manifest"] = descriptor_json(image.manifest.descriptor);
  }
  json["imageId"] = image.parsed.config.digest.str();
  json["size"] = image.layer_bytes();
  json["layers"] = layers_of(image);
  if (!image.parsed.annotations.empty()) json["annotations"] = image.parsed.annotations;
  if (image.config) json["config"] = Json::parse(image.config_bytes);
  return dumped(json);
}

std::string layers_text(const InspectedImage& image) {
  const auto made_by = makers(image);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < image.parsed.layers.size(); ++i) {
    const auto& layer = image.parsed.layers[i];
    rows.push_back({std::to_string(i + 1), layer.digest.str(), format_bytes(layer.size), layer.media_type,
                    made_by.empty() ? std::string() : shortened(made_by[i])});
  }
  return render_table({"#", "Digest", "Size", "Type", "Created by"}, rows);
}

std::string layers_json(const InspectedImage& image) {
  return dumped(layers_of(image));
}

}  // namespace tektii::cli
