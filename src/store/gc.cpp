#include "store/cache_scan.hpp"
#include "store/image_roots.hpp"
#include "store/layout_files.hpp"
#include "store/temp_area.hpp"
#include <tektii/store/gc.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/file_lock.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <tuple>
#include <utility>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

// Entries that are moved away while builds have to wait for the gate: some tenths of a millisecond.
constexpr std::size_t k_batch = 32;

const std::string k_blobs = "blobs";
const fs::path k_blob_directory = fs::path("blobs") / "sha256";

struct Disk {
  std::uint64_t size = 0;
  std::uint64_t available = 0;  // to this user
};

Disk disk_of(const fs::path& root) {
  struct statvfs info {};
  if (::statvfs(root.c_str(), &info) != 0) throw_errno("ask for the free space of " + root.string());
  return {std::uint64_t{info.f_blocks} * info.f_frsize, std::uint64_t{info.f_bavail} * info.f_frsize};
}

bool is_plain_name(std::string_view name) {
  return !name.starts_with('.');
}

// Of layouts and documents that a killed process was writing.
bool is_stray_file(std::string_view name) {
  return name.starts_with(".tektii-") || name.starts_with(".index.json.") || name.starts_with(".oci-layout.");
}

std::vector<CacheArea> own_areas(const fs::path& root) {
  std::vector<CacheArea> areas = {
      {.kind = k_blobs, .directory = k_blob_directory},
      {.kind = "temporary files", .directory = "tmp", .is_entry = is_plain_name, .is_rubbish = true},
      {.kind = "temporary files", .directory = ".", .is_entry = is_stray_file, .is_rubbish = true},
  };
  std::error_code missing;
  for (const auto& group : fs::directory_iterator(root / "actions" / "v1", missing)) {
    if (!group.is_directory()) continue;
    areas.push_back({.kind = "action records", .directory = fs::path("actions") / "v1" / group.path().filename()});
  }
  return areas;
}

// Directories that a process works in are locked by it, themselves or by a file in them.
bool is_worked_in(const fs::path& directory) {
  if (!fs::is_directory(directory)) return false;
  const auto lock_file = directory / "lock";
  if (fs::exists(lock_file) && !FileLock::try_acquire(lock_file, LockMode::exclusive)) return true;
  return !FileLock::try_acquire(directory, LockMode::exclusive);
}

std::uint64_t total_of(const std::vector<CacheEntry>& entries) {
  std::uint64_t total = 0;
  for (const auto& entry : entries) total += entry.size;
  return total;
}

std::optional<oci::Digest> digest_of(const CacheEntry& entry) {
  const auto text = "sha256:" + entry.path.filename().string();
  if (entry.kind != k_blobs || !oci::Digest::is_valid(text)) return std::nullopt;
  return oci::Digest::parse(text);
}

std::int64_t unix_seconds(FileTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Whether the store may have grown over the limit since it was measured: it can't have taken more than the file system
// lost. Once in a while it is looked at anyway, because what others removed hides what it took.
bool is_due(const GcState& last, const Disk& disk, std::uint64_t limit, std::int64_t now) {
  constexpr std::int64_t k_minute = 60;
  constexpr std::int64_t k_hour = 60 * k_minute;
  const auto age = now - last.measured_at;
  if (last.measured_at == 0 || age < 0) return true;
  // What the last one had to leave, because it was in use, may be free by now.
  if (last.total > limit && age >= k_minute) return true;
  if (age >= (last.total < limit / 2 ? 24 * k_hour : k_hour)) return true;
  const auto grown = last.available > disk.available ? last.available - disk.available : 0;
  const auto room = last.total < limit ? limit - last.total : 0;
  return grown > std::max(room, limit / 20);
}

}  // namespace

std::optional<std::uint64_t> CacheLimit::bytes(std::uint64_t disk_size, std::uint64_t available,
                                               std::uint64_t used) const {
  constexpr std::uint64_t k_at_least = 10'000'000'000;
  switch (kind) {
    case Kind::off:
      return std::nullopt;
    case Kind::bytes:
      return value;
    case Kind::percent:
      return disk_size / 100 * value;
    case Kind::automatic:
      break;
  }
  return std::min(std::max(disk_size / 10, k_at_least), (available + used) / 2);
}

struct GarbageCollector::Survey {
  FileTime cutoff;
  GcState state;
  std::vector<CacheEntry> entries;
};

GarbageCollector::GarbageCollector(Store& store, std::vector<CacheArea> areas, Clock& clock)
    : store_(store), areas_(std::move(areas)), clock_(clock) {}

fs::path GarbageCollector::file(const char* name) const {
  return store_.root() / "gc" / "v1" / name;
}

GarbageCollector::Survey GarbageCollector::survey(const std::stop_token& stop) {
  const auto& root = store_.root();
  Survey survey;
  survey.cutoff = oldest_use_to_keep(root / "tmp", file("clock"), stop);
  survey.state = GcState::load(file("state"));
  std::set<fs::path> kept;
  for (const auto& digest : blobs_of_images(root)) kept.insert(k_blob_directory / std::string(digest.hex()));
  CacheScan scan(root, survey.cutoff, survey.state, stop);
  for (const auto& area : own_areas(root)) scan.add(area, kept);
  for (const auto& area : areas_) scan.add(area, {});
  survey.entries = scan.take();
  survey.state.total = total_of(survey.entries);
  survey.state.available = disk_of(root).available;
  survey.state.measured_at = unix_seconds(clock_.now());
  return survey;
}

std::vector<CacheEntry> GarbageCollector::entries(const std::stop_token& stop) {
  return survey(stop).entries;
}

PruneResult GarbageCollector::prune(const PruneOptions& options, const std::function<void()>& on_wait,
                                    const std::stop_token& stop) {
  constexpr std::chrono::milliseconds k_poll{100};
  auto lock = FileLock::try_acquire(file("lock"), LockMode::exclusive);
  if (!lock) on_wait();
  while (!lock) {
    clock_.sleep_for(k_poll, stop);
    throw_if_stopped(stop);
    lock = FileLock::try_acquire(file("lock"), LockMode::exclusive);
  }
  auto found = survey(stop);
  return prune_locked(found, options, stop);
}

std::optional<PruneResult> GarbageCollector::collect(const CacheLimit& limit, const std::stop_token& stop) {
  if (limit.kind == CacheLimit::Kind::off) return std::nullopt;
  const auto disk = disk_of(store_.root());
  const auto last = load_summary(file("state"));
  const auto allowed = limit.bytes(disk.size, disk.available, last.total);
  if (!is_due(last, disk, allowed.value_or(0), unix_seconds(clock_.now()))) return std::nullopt;
  const auto lock = FileLock::try_acquire(file("lock"), LockMode::exclusive);
  if (!lock) return std::nullopt;
  auto found = survey(stop);
  const bool sees_all = std::none_of(found.entries.begin(), found.entries.end(),
                                     [](const auto& entry) { return entry.out_of_reach && !entry.in_use; });
  if (!sees_all) {
    found.state.save(file("state"));
    return std::nullopt;
  }
  const auto now_allowed = limit.bytes(disk.size, disk.available, found.state.total).value_or(0);
  PruneOptions options;
  options.keep_storage = found.state.total > now_allowed ? now_allowed / 10 * 9 : found.state.total;
  return prune_locked(found, options, stop);
}

PruneResult GarbageCollector::prune_locked(Survey& survey, const PruneOptions& options, const std::stop_token& stop) {
  auto chosen = choose(survey, options);
  PruneResult result;
  if (options.dry_run) {
    if (options.images) result.images = drop_images_of(chosen, survey, true, stop);
    result.removed = chosen;
  } else {
    // What images need goes last, and after their entries: an image in index.json is whole, and on a full disk
    // index.json can't be written before something else is gone.
    const auto of_images = std::stable_partition(chosen.begin(), chosen.end(), [](const auto& e) { return !e.kept; });
    remove({chosen.begin(), of_images}, survey.cutoff, result, stop);
    if (of_images != chosen.end() && drop_entries(chosen, survey, result, stop)) {
      remove({of_images, chosen.end()}, survey.cutoff, result, stop);
      restore_index(result);
    }
    for (const auto& entry : result.removed) survey.state.directories.erase(entry.path.string());
  }
  result.freed = total_of(result.removed);
  result.left = survey.state.total - result.freed;
  if (!options.dry_run) {
    survey.state.total = result.left;
    survey.state.available = disk_of(store_.root()).available;
    try {
      survey.state.save(file("state"));
    } catch (const Error& error) {
      // On a full disk, say; what was removed is removed, and the next time everything is measured again.
      spdlog::debug("the state of the cache is not saved: {}", error.what());
    }
  }
  return result;
}

// Takes the images that need something of what was chosen out of index.json, unless it is a dry run; returns their
// names.
std::vector<std::string> GarbageCollector::drop_images_of(const std::vector<CacheEntry>& chosen, const Survey& survey,
                                                          bool dry_run, const std::stop_token& stop) {
  std::set<oci::Digest> blobs;
  for (const auto& entry : chosen) {
    if (const auto digest = digest_of(entry)) blobs.insert(*digest);
  }
  // An image that was put in, or named anew, since the survey has blobs that are in use: they were marked before its
  // entry was written.
  const auto is_removed = [&](const oci::Digest& digest) {
    if (!blobs.contains(digest)) return false;
    const auto status = file_status(store_.blob_path(digest));
    return !status || mtime_of(*status) < survey.cutoff;
  };
  return drop_images(store_.root(), is_removed, dry_run, stop);
}

// False when index.json could not be written, so that the images have to stay.
bool GarbageCollector::drop_entries(const std::vector<CacheEntry>& chosen, const Survey& survey, PruneResult& result,
                                    const std::stop_token& stop) {
  try {
    result.images = drop_images_of(chosen, survey, false, stop);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    result.failures.push_back(fmt::format("tagged images stay: {}", error.what()));
    return false;
  }
}

// drop_images() takes it away where it can't write it.
void GarbageCollector::restore_index(PruneResult& result) {
  try {
    ensure_layout(store_.root());
  } catch (const Error& error) {
    result.failures.push_back(fmt::format("the next process that opens the store has to make it: {}", error.what()));
  }
}

std::vector<CacheEntry> GarbageCollector::choose(const Survey& survey, const PruneOptions& options) const {
  std::vector<CacheEntry> candidates;
  const auto now = clock_.now();
  for (const auto& entry : survey.entries) {
    if (entry.in_use || entry.out_of_reach || (entry.kept && !options.images)) continue;
    if (options.older_than && !entry.is_rubbish && now - entry.last_used < *options.older_than) continue;
    candidates.push_back(entry);
  }
  const auto order = [](const CacheEntry& entry) { return std::tuple(!entry.is_rubbish, entry.last_used, entry.path); };
  std::sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  if (!options.keep_storage) return candidates;
  auto left = survey.state.total;
  std::size_t count = 0;
  while (count < candidates.size() && (left > *options.keep_storage || candidates[count].is_rubbish)) {
    left -= candidates[count++].size;
  }
  candidates.resize(count);
  return candidates;
}

// Entries are moved into our own temporary directory, which is quick whatever their size, and deleted without the gate.
void GarbageCollector::remove(std::span<const CacheEntry> chosen, FileTime cutoff, PruneResult& result,
                              const std::stop_token& stop) {
  for (std::size_t begin = 0; begin < chosen.size(); begin += k_batch) {
    throw_if_stopped(stop);
    std::vector<std::pair<const CacheEntry*, fs::path>> moved;
    {
      const auto gate = FileLock::acquire(file("gate"), LockMode::exclusive, stop);
      for (std::size_t i = begin; i < std::min(begin + k_batch, chosen.size()); ++i) {
        const auto path = store_.root() / chosen[i].path;
        const auto status = file_status(path);
        if (!status || mtime_of(*status) >= cutoff) continue;  // gone, or somebody began to use it
        if (chosen[i].is_rubbish && is_worked_in(path)) continue;
        const auto away = store_.next_temp_name("pruned");
        if (::rename(path.c_str(), away.c_str()) == 0) {
          moved.emplace_back(&chosen[i], away);
        } else if (errno != ENOENT) {
          result.failures.push_back(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
        }
      }
    }
    for (const auto& [entry, away] : moved) {
      try {
        remove_tree(away);
        result.removed.push_back(*entry);
      } catch (const Error& error) {
        result.failures.emplace_back(error.what());
      }
    }
  }
}

}  // namespace tektii::store
