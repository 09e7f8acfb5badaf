#include "store/temp_area.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <utility>
#include <vector>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

// Held shared while a directory exists whose own lock is not taken yet, exclusively while looking for dead ones.
constexpr std::string_view k_gate = ".lock";
constexpr std::string_view k_lock = "lock";

struct DeadDirectory {
  fs::path path;
  std::optional<FileLock> lock;  // keeps other cleaners away; none when its process died before it made one
};

std::optional<DeadDirectory> claim_if_dead(const fs::path& directory) {
  if (!fs::exists(directory / k_lock)) return DeadDirectory{directory, std::nullopt};
  auto lock = FileLock::try_acquire(directory / k_lock, LockMode::exclusive);
  if (!lock) return std::nullopt;
  return DeadDirectory{directory, std::move(lock)};
}

std::vector<DeadDirectory> claim_dead(const fs::path& parent, const fs::path& own) {
  std::vector<DeadDirectory> dead;
  const auto gate = FileLock::try_acquire(parent / k_gate, LockMode::exclusive);
  // Another process is starting or cleaning; the one after us will find what we leave.
  if (!gate) return dead;
  for (const auto& entry : fs::directory_iterator(parent)) {
    if (!entry.is_directory() || entry.path() == own) continue;
    try {
      if (auto claimed = claim_if_dead(entry.path())) dead.push_back(std::move(*claimed));
    } catch (const std::exception& error) {
      // Somebody else's directory in a shared cache, or a file system without locks: theirs to clean.
      spdlog::debug("{} is left alone: {}", entry.path().string(), error.what());
    }
  }
  return dead;
}

}  // namespace

TempArea::TempArea(const fs::path& parent) : owner_(::getpid()) {
  make_directories(parent);
  {
    const auto gate = FileLock::acquire(parent / k_gate, LockMode::shared);
    path_ = TempDir(fmt::format("{}-", owner_), parent).release();
    lock_ = FileLock::try_acquire(path_ / k_lock, LockMode::exclusive);
    if (const auto status = file_status(path_ / k_lock)) started_ = mtime_of(*status);
  }
  remove_dead(parent);
}

TempArea::~TempArea() {
  // A forked child shares the object, but the directory is the parent's.
  if (::getpid() != owner_) return;
  try {
    remove_tree(path_);
  } catch (const std::exception& error) {
    spdlog::debug("{} stays for the next run to clean: {}", path_.string(), error.what());
  }
}

fs::path TempArea::next_name(std::string_view prefix) {
  return path_ / fmt::format("{}-{}", prefix, counter_++);
}

void TempArea::remove_dead(const fs::path& parent) const {
  // Old rubbish that can't be removed is no reason to refuse new work, nor to leave the rest.
  const auto attempt = [&parent](const auto& work) {
    try {
      work();
    } catch (const std::exception& error) {
      spdlog::debug("cleaning {}: {}", parent.string(), error.what());
    }
  };
  attempt([&] {
    for (const auto& dead : claim_dead(parent, path_)) {
      spdlog::debug("removing {}, left by a process that ended early", dead.path.string());
      attempt([&] { remove_tree(dead.path); });
    }
  });
}

FileTime oldest_use_to_keep(const fs::path& parent, const fs::path& clock_file, const std::stop_token& stop) {
  // With the gate nobody is between making a directory and locking it. Who makes one later starts later.
  const auto gate = FileLock::acquire(parent / k_gate, LockMode::exclusive, stop);
  auto oldest = file_system_now(clock_file);
  for (const auto& entry : fs::directory_iterator(parent)) {
    const auto status = file_status(entry.path() / k_lock);
    if (!status || mtime_of(*status) >= oldest) continue;
    try {
      if (!FileLock::try_acquire(entry.path() / k_lock, LockMode::exclusive)) oldest = mtime_of(*status);
    } catch (const Error&) {
      oldest = mtime_of(*status);  // can't be asked: it may be alive
    }
  }
  return oldest;
}

}  // namespace tektii::store
