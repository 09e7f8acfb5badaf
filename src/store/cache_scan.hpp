#pragma once

#include "store/file_times.hpp"
#include "store/gc_state.hpp"
#include <tektii/store/gc.hpp>
#include <tektii/util/tree_cursor.hpp>

#include <sys/stat.h>

#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tektii::store {

// Finds and measures the entries of a store. Hard links count once over everything that one object measures.
class CacheScan {
 public:
  // `cutoff`: what was used then or later is in use. `known` has the sizes of directories that were measured before;
  // those that are measured now are put in, those that are gone are not kept.
  CacheScan(std::filesystem::path root, FileTime cutoff, GcState& state, std::stop_token stop);

  // Entries that are in `kept` (paths below the root) are marked so.
  void add(const CacheArea& area, const std::set<std::filesystem::path>& kept);
  std::vector<CacheEntry> take();

 private:
  std::uint64_t size_of(const std::filesystem::path& path, const struct stat& status, bool in_use, bool readable);
  std::uint64_t count(const struct stat& status);
  std::uint64_t measure(const std::filesystem::path& path, const struct stat& status);
  std::vector<std::string> count_children(const TreeCursor& cursor, std::uint64_t& total);

  std::filesystem::path root_;
  FileTime cutoff_;
  GcState& state_;
  std::map<std::string, MeasuredDirectory> measured_;
  std::stop_token stop_;
  std::set<std::pair<dev_t, ino_t>> seen_links_;
  std::vector<CacheEntry> entries_;
};

}  // namespace tektii::store
