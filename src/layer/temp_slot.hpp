#pragma once

#include <tektii/util/fd.hpp>

#include <filesystem>

namespace tektii::layer {

// A new private directory below `parent` that a lock marks as alive: it is stale once its process has ended, however
// that happened.
struct TempSlot {
  std::filesystem::path path;
  UniqueFd lock;  // flock on the directory; goes with a rename of it
};

// Makes `parent` when it is missing.
TempSlot make_temp_slot(const std::filesystem::path& parent);

// Removes what processes that no longer live have left below `parent`. What can't be removed is logged and left.
void remove_stale_slots(const std::filesystem::path& parent);

// remove_tree() for destructors: logs instead of throwing.
void remove_tree_quietly(const std::filesystem::path& path) noexcept;

// A directory on the stack that is removed unless its path was taken away.
class ScopedSlot {
 public:
  explicit ScopedSlot(const std::filesystem::path& parent) : slot_(make_temp_slot(parent)) {}
  ScopedSlot(const ScopedSlot&) = delete;
  ScopedSlot& operator=(const ScopedSlot&) = delete;
  ~ScopedSlot();
  const std::filesystem::path& path() const { return slot_.path; }
  // Renames the directory to its final place.
  void move_to(const std::filesystem::path& target);

 private:
  TempSlot slot_;
  bool moved_ = false;
};

}  // namespace tektii::layer
