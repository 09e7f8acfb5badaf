#include "registry/chunk_sizes.hpp"

#include <algorithm>
#include <array>

namespace tektii::registry {

namespace {

// Below the limits that are met in the wild: 100 MB of Cloudflare, 20 MB of Azure, 4 MiB of GitHub, 1 MiB of nginx.
constexpr std::array<std::uint64_t, 6> k_sizes{64 << 20, 16 << 20, 4 << 20, 1 << 20, 256 << 10, 64 << 10};

}  // namespace

std::optional<std::uint64_t> ChunkSizes::chunk_for(const std::string& registry, std::uint64_t blob_size) const {
  const std::lock_guard lock(mutex_);
  std::optional<std::uint64_t> chunk = wanted_;
  if (const auto learned = learned_.find(registry); learned != learned_.end()) {
    chunk = std::min(chunk.value_or(learned->second), learned->second);
  }
  return chunk && *chunk < blob_size ? chunk : std::nullopt;
}

bool ChunkSizes::refused(const std::string& registry, std::uint64_t size) {
  const auto* const smaller =
      std::find_if(k_sizes.begin(), k_sizes.end(), [&](std::uint64_t one) { return one < size; });
  if (smaller == k_sizes.end()) return false;
  const std::lock_guard lock(mutex_);
  auto& learned = learned_.try_emplace(registry, *smaller).first->second;
  learned = std::min(learned, *smaller);
  return true;
}

}  // namespace tektii::registry
