#pragma once

#include <tektii/store/store.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::store {

// A part of the store that another module fills: its entries are files or directories that are used, measured and
// removed as a whole, and whose mtime is the time of their last use (use_marks.hpp).
struct CacheArea {
  std::string kind;                                          // what people call it: "unpacked layers"
  std::filesystem::path directory;                           // below the root of the store; a missing one is empty
  std::function<bool(std::string_view name)> is_entry = {};  // empty: everything in the directory is one
  // Files may belong to subordinate ids: only root, or root of a namespace that maps them, can measure and remove them.
  bool needs_root = false;
  // What processes that ended early left: of no use to anybody, so it goes first and however old it is.
  bool is_rubbish = false;
};

struct CacheEntry {
  std::string kind;
  std::filesystem::path path;  // below the root of the store
  std::uint64_t size = 0;      // bytes that the disk has allocated; of several hard links the first one counts
  std::chrono::system_clock::time_point last_used;
  bool in_use = false;        // by a process that runs
  bool kept = false;          // part of an image that index.json names
  bool out_of_reach = false;  // of an area that needs root, which this process is not
  bool is_rubbish = false;
  bool reclaimable() const { return !in_use && !kept; }
};

struct PruneOptions {
  // Least recently used entries go first, until no more than this is left. Without it all go that the rest allows.
  std::optional<std::uint64_t> keep_storage;
  std::optional<std::chrono::seconds> older_than;  // only what was not used for so long
  bool images = false;                             // also images that index.json names
  bool dry_run = false;                            // say what would be removed
};

struct PruneResult {
  std::vector<CacheEntry> removed;
  std::vector<std::string> images;  // names of images whose entry in index.json went
  std::uint64_t freed = 0;
  std::uint64_t left = 0;
  std::vector<std::string> failures;  // what could not be removed, and why
};

// How much the store may take: a number of bytes, a share of its file system, or the default: a tenth of the file
// system but at least 10 GB, and never more than what is free beside it.
struct CacheLimit {
  enum class Kind { automatic, off, bytes, percent };
  Kind kind = Kind::automatic;
  std::uint64_t value = 0;

  // nullopt: no limit. `available` is what the file system has left, `used` what the store takes of it.
  std::optional<std::uint64_t> bytes(std::uint64_t disk_size, std::uint64_t available, std::uint64_t used) const;
};

// Measures the store and removes what was not used for longest. Safe beside running builds of any process: what they
// use stays, and one collection works at a time. Killed, it leaves nothing but a directory in tmp/ that the next
// process removes. Entries do not depend on each other: a record whose blob is gone is a miss, an unpacked layer is
// made again.
class GarbageCollector {
 public:
  // Store and clock outlive it. The store's own areas (blobs, action records, temporary files) are added.
  GarbageCollector(Store& store, std::vector<CacheArea> areas, Clock& clock);

  // Everything there is. What can't be measured by this user has the size that was known last, or 0.
  std::vector<CacheEntry> entries(const std::stop_token& stop);

  // `on_wait` is called when another collection has to end first.
  PruneResult prune(const PruneOptions& options, const std::function<void()>& on_wait, const std::stop_token& stop);

  // The end of a build: when the store has grown over its limit, prunes it to nine tenths of that. Costs a stat or two
  // when the last measurement says that it can't have, and nothing but that when another collection is at work. A
  // process for which a part of the store is out of reach leaves all of it to others: it would remove the wrong things.
  std::optional<PruneResult> collect(const CacheLimit& limit, const std::stop_token& stop);

 private:
  struct Survey;

  Survey survey(const std::stop_token& stop);
  PruneResult prune_locked(Survey& survey, const PruneOptions& options, const std::stop_token& stop);
  std::vector<std::string> drop_images_of(const std::vector<CacheEntry>& chosen, const Survey& survey, bool dry_run,
                                          const std::stop_token& stop);
  bool drop_entries(const std::vector<CacheEntry>& chosen, const Survey& survey, PruneResult& result,
                    const std::stop_token& stop);
  void restore_index(PruneResult& result);
  std::vector<CacheEntry> choose(const Survey& survey, const PruneOptions& options) const;
  void remove(std::span<const CacheEntry> chosen, std::chrono::system_clock::time_point cutoff, PruneResult& result,
              const std::stop_token& stop);
  std::filesystem::path file(const char* name) const;

  Store& store_;
  std::vector<CacheArea> areas_;
  Clock& clock_;
};

}  // namespace tektii::store
