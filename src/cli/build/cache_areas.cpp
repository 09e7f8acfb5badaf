#include "cli/build/cache_areas.hpp"

namespace tektii::cli {

namespace {

constexpr std::string_view k_index = ".index";

bool is_index(std::string_view name) {
  return name.ends_with(k_index) && !name.starts_with('.');
}

// "tmp" and "locks" stand beside the layers; the names of layers are hexadecimal.
bool is_layer(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_unfinished(std::string_view name) {
  return name.starts_with('.');
}

}  // namespace

std::vector<store::CacheArea> cache_areas() {
  return {
      {.kind = "unpacked layers", .directory = "layers/v1", .is_entry = is_layer, .needs_root = true},
      {.kind = "layer indexes", .directory = "layers/v1", .is_entry = is_index},
      {.kind = "cache mounts", .directory = "mounts/v1", .needs_root = true},
      {.kind = "git mirrors", .directory = "git/v1"},
      {.kind = "stat caches", .directory = "stat/v1"},
      {.kind = "temporary files", .directory = "layers/v1/tmp", .needs_root = true, .is_rubbish = true},
      {.kind = "temporary files", .directory = "layers/v1", .is_entry = is_unfinished, .is_rubbish = true},
  };
}

}  // namespace tektii::cli
