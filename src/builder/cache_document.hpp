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

// The same document out of the config of an image (type=inline); also throws when there is none, and says what there
// is.
CacheRecords read_inline_cache(std::string_view image_config);

inline constexpr std::string_view k_is_of_buildkit = "it is a cache of BuildKit, which only BuildKit reads";

}  // namespace tektii::builder
