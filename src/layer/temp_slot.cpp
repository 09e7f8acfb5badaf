#include "layer/temp_slot.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace tektii::layer {

namespace {

// The lock on the parent: shared while a slot is made and not yet locked itself, exclusive while looking for stale
// ones.
UniqueFd lock_parent(const std::filesystem::path& parent, int operation) {
  UniqueFd fd = open_file(parent, O_RDONLY | O_DIRECTORY);
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EWOULDBLOCK) return UniqueFd();
    if (errno != EINTR) throw_errno("lock " + parent.string());
  }
  return fd;
}

}  // namespace

TempSlot make_temp_slot(const std::filesystem::path& parent) {
  make_directories(parent);
  const UniqueFd parent_lock = lock_parent(parent, LOCK_SH);
  std::string name = (parent / "XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw_errno("create a directory in " + parent.string());
  TempSlot slot{name, open_file(name, O_RDONLY | O_DIRECTORY)};
  if (::flock(slot.lock.get(), LOCK_EX | LOCK_NB) != 0) throw_errno("lock " + name);
  return slot;
}

void remove_stale_slots(const std::filesystem::path& parent) {
  std::vector<TempSlot> stale;
  {
    const UniqueFd parent_lock = lock_parent(parent, LOCK_EX | LOCK_NB);
    if (!parent_lock) return;  // someone else is at it
    for (const auto& entry : std::filesystem::directory_iterator(parent)) {
      UniqueFd fd(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) stale.push_back({entry.path(), std::move(fd)});
    }
  }
  for (const TempSlot& slot : stale) remove_tree_quietly(slot.path);
}

void remove_tree_quietly(const std::filesystem::path& path) noexcept {
  try {
    remove_tree(path);
  } catch (const std::exception& error) {
    spdlog::warn("can't remove {}: {}", path.string(), error.what());
  }
}

ScopedSlot::~ScopedSlot() {
  if (!moved_) remove_tree_quietly(slot_.path);
}

void ScopedSlot::move_to(const std::filesystem::path& target) {
  if (::rename(slot_.path.c_str(), target.c_str()) != 0) {
    throw_errno("rename " + slot_.path.string() + " to " + target.string());
  }
  moved_ = true;
}

}  // namespace tektii::layer
