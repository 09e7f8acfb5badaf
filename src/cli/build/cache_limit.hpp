#pragma once

#include <tektii/store/gc.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tektii::cli {

// "512MiB", "10GB", "1.5g", "4096": k, m, g and t alone or with B are powers of 1000, as our own output has them, with
// iB powers of 1024. nullopt when it is none.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "24h", "7d", "1h30m", "90s", "2w"; nullopt when it is none.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// "20GB", "15%", "0" or "off"; empty is the default. nullopt when it is none of these.
std::optional<store::CacheLimit> parse_cache_limit(std::string_view text);

// What TEKTII_CACHE_LIMIT says; throws Error{usage} when that is no limit.
store::CacheLimit configured_cache_limit();

}  // namespace tektii::cli
