#include "cache_mounts.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace tektii::builder {
namespace {

namespace stdfs = std::filesystem;

constexpr std::chrono::milliseconds k_poll{100};

// A user of a cache that is not there yet makes it under another name, so that nobody sees half of one.
void make_copy(const stdfs::path& copy, const CacheMounts::Wanted& wanted) {
  const stdfs::path unfinished = copy.string() + ".new";
  remove_tree(unfinished);
  make_directories(unfinished / "data");
  wanted.fill(unfinished / "data");
  stdfs::rename(unfinished, copy);
}

// With the lock on the whole cache, which is held while copies are looked at and made.
std::optional<CacheMounts::Lease> take_free_copy(const stdfs::path& directory, const CacheMounts::Wanted& wanted) {
  const bool shared = wanted.sharing == RunMount::Sharing::shared;
  const auto mode = shared ? LockMode::shared : LockMode::exclusive;
  for (int number = 0;; ++number) {
    const stdfs::path copy = directory / std::to_string(number);
    if (!stdfs::is_directory(copy)) {
      if (wanted.sharing == RunMount::Sharing::locked && number > 0) return std::nullopt;
      make_copy(copy, wanted);
    }
    if (auto lock = FileLock::try_acquire(copy, mode)) {
      return CacheMounts::Lease{copy / "data", std::move(*lock)};
    }
  }
}

}  // namespace

CacheMounts::Lease CacheMounts::acquire(const Wanted& wanted, const std::function<void()>& on_wait,
                                        const std::stop_token& stop) const {
  const stdfs::path directory = root_ / Sha256::hex_of(wanted.key);
  // One that is removed between the two steps is made again.
  do {
    make_directories(directory);
  } while (marks_ != nullptr && !marks_->mark(directory));
  for (bool told = false;; told = true) {
    throw_if_stopped(stop);
    if (const auto whole = FileLock::try_acquire(directory / "lock", LockMode::exclusive)) {
      if (!stdfs::exists(directory / "key")) write_file_atomic(directory / "key", wanted.key + "\n");
      if (auto lease = take_free_copy(directory, wanted)) return std::move(*lease);
      if (!told) on_wait();
    }
    std::this_thread::sleep_for(k_poll);
  }
}

}  // namespace tektii::builder
