#pragma once

#include <tektii/builder/cache.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tektii::builder {

// Of the config of a cache; its version is in the name.
inline constexpr std::string_view k_media_cache = "application/vnd.tektii.cache.v1+json";
// The member of an image config that holds the same document (type=inline).
inline constexpr std::string_view k_inline_cache = "tektii.cache.v1";

// The layers that records speak of, each once, in the order in which the document and a manifest list them.
std::vector<oci::Layer> layers_of(const CacheRecords& records);

// Byte-exact JSON. Where layers come from is not part of it.
std::string write_cache_document(const CacheRecords& records);

// Throws Error{failure} that says what is wrong. Members that it does not know are left alone.
CacheRecords read_cache_document(std::string_view json);

}  // namespace tektii::builder
