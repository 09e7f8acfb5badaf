#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace tektii::store {

struct MeasuredDirectory {
  std::int64_t time = 0;  // mtime when it was measured, nanoseconds; 0 when it was in use, so that the size may be old
  std::uint64_t inode = 0;  // another directory may have the name and, from a copy of the store, the time
  std::uint64_t size = 0;   // bytes
  bool is_same(const MeasuredDirectory& other) const { return time == other.time && inode == other.inode; }
};

// What the last collection found, kept in two small files, so that the next one need not look at everything again.
struct GcState {
  std::int64_t measured_at = 0;  // seconds since 1970; 0: never
  std::uint64_t total = 0;       // bytes of the store
  std::uint64_t available = 0;   // bytes that the file system had left
  std::map<std::string, MeasuredDirectory> directories;

  // A file that is missing or damaged is an empty state.
  static GcState load(const std::filesystem::path& file);
  void save(const std::filesystem::path& file) const;
};

// Without the directories, cheaply.
GcState load_summary(const std::filesystem::path& file);

}  // namespace tektii::store
