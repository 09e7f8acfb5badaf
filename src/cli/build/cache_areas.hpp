#pragma once

#include <tektii/store/gc.hpp>

#include <vector>

namespace tektii::cli {

// The parts of a store that other modules than the store fill, for its garbage collection.
std::vector<store::CacheArea> cache_areas();

}  // namespace tektii::cli
