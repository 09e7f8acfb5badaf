#pragma once

#include <tektii/store/gc.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace tektii::cli {

// What the cache holds, by kind, with a line for everything.
std::string usage_text(const std::vector<store::CacheEntry>& entries);
// The same with bytes and RFC 3339 times, and each entry.
std::string usage_json(const std::filesystem::path& root, const std::vector<store::CacheEntry>& entries);

// What was, or with `dry_run` would be, removed.
std::string prune_text(const store::PruneResult& result, bool dry_run);
std::string prune_json(const store::PruneResult& result, bool dry_run);

}  // namespace tektii::cli
