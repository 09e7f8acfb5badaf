#include "layer/temp_slot.hpp"
#include <tektii/layer/snapshots.hpp>
#include <tektii/util/error.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace tektii::layer {

namespace {

// The mode of the upper directory is what the root of the mount shows, so it may depend neither on the umask nor on a
// set-group-id bit of the cache.
void make_plain_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) throw_errno("create " + path.string());
}

}  // namespace

OverlayWorkspace::OverlayWorkspace(const std::filesystem::path& parent) {
  TempSlot slot = make_temp_slot(parent);
  path_ = std::move(slot.path);
  lock_ = std::move(slot.lock);
  try {
    make_plain_directory(upper());
    make_plain_directory(work());
  } catch (...) {
    remove_tree_quietly(path_);
    throw;
  }
}

OverlayWorkspace::OverlayWorkspace(OverlayWorkspace&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::move(other.lock_)) {
  other.path_.clear();
}

OverlayWorkspace::~OverlayWorkspace() {
  if (!path_.empty()) remove_tree_quietly(path_);
}

}  // namespace tektii::layer
