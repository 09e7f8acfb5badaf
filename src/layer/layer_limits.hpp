#pragma once

#include <cstddef>

namespace tektii::layer {

// What a tar may ask of memory; real ones stay far below.
inline constexpr std::size_t k_max_members = 10'000'000;
inline constexpr std::size_t k_max_metadata_bytes = std::size_t{1} << 30;

}  // namespace tektii::layer
