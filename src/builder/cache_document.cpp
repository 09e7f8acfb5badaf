#include "cache_document.hpp"

#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace tektii::builder {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t k_largest_size = std::uint64_t{1} << 53U;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::failure, "it is damaged: " + what);
}

bool is_key(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

const Json& member(const Json& object, const char* name, const Json& otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (found->type() != otherwise.type()) fail(fmt::format("{} is of another type", name));
  return *found;
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end() || !found->is_string()) fail(fmt::format("a layer has no {}", name));
  return found->get<std::string>();
}

oci::Digest digest_of(const Json& object, const char* name) {
  const auto text = text_of(object, name);
  if (!oci::Digest::is_valid(text)) fail(fmt::format("the {} of a layer is no digest", name));
  return oci::Digest::parse(text);
}

oci::Layer read_layer(const Json& json) {
  oci::Layer layer{{text_of(json, "mediaType"), digest_of(json, "digest")}, digest_of(json, "diffId")};
  if (!oci::is_layer(layer.blob.media_type)) fail("a layer is of an unknown type");
  const auto size = json.find("size");
  if (size == json.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() > k_largest_size) {
    fail("a layer has no size");
  }
  layer.blob.size = size->get<std::uint64_t>();
  return layer;
}

std::optional<oci::Layer> layer_at(const Json& index, const std::vector<oci::Layer>& layers) {
  if (index.is_null()) return std::nullopt;
  if (!index.is_number_unsigned() || index.get<std::uint64_t>() >= layers.size()) {
    fail("a step names a layer that is not there");
  }
  return layers[index.get<std::size_t>()];
}

// Goes no deeper than the format does, whatever else is in there: an image's config is not of our making.
CacheRecords read_records(const Json& document) {
  if (!document.is_object()) fail("its records are no JSON object");
  std::vector<oci::Layer> layers;
  const auto no_list = Json::array();
  const auto no_object = Json::object();
  for (const auto& item : member(document, "layers", no_list)) layers.push_back(read_layer(item));
  CacheRecords records;
  for (const auto& [key, index] : member(document, "steps", no_object).items()) {
    if (!is_key(key)) fail("the key of a step is none");
    records.steps.emplace(key, layer_at(index, layers));
  }
  for (const auto& [key, content] : member(document, "contents", no_object).items()) {
    if (!is_key(key) || !content.is_string() || !is_key(content.get<std::string>())) fail("a key of contents is none");
    records.contents.emplace(key, content.get<std::string>());
  }
  return records;
}

}  // namespace

std::vector<oci::Layer> layers_of(const CacheRecords& records) {
  std::map<std::pair<oci::Digest, oci::Digest>, oci::Layer> sorted;
  for (const auto& [key, layer] : records.steps) {
    if (layer) sorted.emplace(std::pair(layer->blob.digest, layer->diff_id), *layer);
  }
  std::vector<oci::Layer> layers;
  layers.reserve(sorted.size());
  for (auto& [ids, layer] : sorted) layers.push_back(std::move(layer));
  return layers;
}

std::string write_cache_document(const CacheRecords& records) {
  Json layers = Json::array();
  std::map<std::pair<oci::Digest, oci::Digest>, std::size_t> places;
  for (const auto& layer : layers_of(records)) {
    places.emplace(std::pair(layer.blob.digest, layer.diff_id), layers.size());
    layers.push_back({{"mediaType", layer.blob.media_type},
                      {"digest", layer.blob.digest.str()},
                      {"size", layer.blob.size},
                      {"diffId", layer.diff_id.str()}});
  }
  Json steps = Json::object();
  for (const auto& [key, layer] : records.steps) {
    steps[key] = layer ? Json(places.at({layer->blob.digest, layer->diff_id})) : Json();
  }
  Json document = {{"layers", std::move(layers)}, {"steps", std::move(steps)}};
  if (!records.contents.empty()) document["contents"] = records.contents;
  return document.dump();
}

CacheRecords read_cache_document(std::string_view json) {
  return read_records(Json::parse(json, nullptr, false));
}

CacheRecords read_inline_cache(std::string_view image_config) {
  const auto config = Json::parse(image_config, nullptr, false);
  if (!config.is_object()) fail("its config is no JSON object");
  const auto found = config.find(k_inline_cache);
  if (found != config.end()) return read_records(*found);
  throw Error(ErrorKind::failure, config.contains("moby.buildkit.cache.v0") ? std::string(k_is_of_buildkit)
                                                                            : "it is an image without a cache in it");
}

}  // namespace tektii::builder
