#include <tektii/store/stat_cache.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace tektii::store {

namespace {

// The file is this line, the SHA-256 of the rest in hex, a line end, and the entries as they are in memory: it is read
// by the machine that wrote it and never shared.
constexpr std::string_view k_header = "tektii stat cache 2 ";
constexpr std::size_t k_prefix = k_header.size() + 64 + 1;
constexpr std::size_t k_largest = std::size_t{1} << 30U;

}  // namespace

std::size_t StatCache::HashStamp::operator()(const FileStamp& stamp) const {
  // Inodes tell nearly all files apart; the multiplier spreads neighbours.
  constexpr std::uint64_t k_spread = 0x9E3779B97F4A7C15U;
  return static_cast<std::size_t>((stamp.inode ^ static_cast<std::uint64_t>(stamp.ctime_nanoseconds)) * k_spread);
}

StatCache::StatCache(std::filesystem::path file, std::int64_t now)
    : file_(std::move(file)),
      now_(now),
      today_(static_cast<std::uint32_t>(std::max<std::int64_t>(now, 0) / 86'400'000'000'000)) {
  std::error_code ignored;
  if (std::filesystem::exists(file_, ignored)) load();
}

void StatCache::load() {
  std::string text;
  try {
    text = read_file(file_, k_largest);
  } catch (const Error& error) {
    spdlog::debug("the stat cache counts as empty: {}", error.what());
    return;
  }
  const std::string_view body = std::string_view(text).substr(std::min(k_prefix, text.size()));
  const bool sound = text.size() >= k_prefix && text.starts_with(k_header) && text[k_prefix - 1] == '\n' &&
                     body.size() % sizeof(Entry) == 0 &&
                     std::string_view(text).substr(k_header.size(), 64) == Sha256::hex_of(body);
  if (!sound) {
    spdlog::debug("the stat cache {} is damaged or of another version and counts as empty", file_.string());
    return;
  }
  loaded_.resize(body.size() / sizeof(Entry));
  std::memcpy(loaded_.data(), body.data(), body.size());
}

std::optional<StatCache::Content> StatCache::find(const FileStamp& stamp) {
  const std::lock_guard lock(mutex_);
  if (const auto added = added_.find(stamp); added != added_.end()) return added->content();
  const auto found = std::lower_bound(loaded_.begin(), loaded_.end(), stamp, before);
  if (found == loaded_.end() || found->stamp != stamp) return std::nullopt;
  // Once a week is enough to know what is still in use; a build that changes nothing mostly writes nothing.
  constexpr std::uint32_t k_note_use_after = 7;
  if (found->day + k_note_use_after < today_) {
    found->day = today_;
    changed_ = true;
  }
  return found->content();
}

void StatCache::remember(const FileStamp& stamp, const Content& content) {
  if (std::max(stamp.ctime_nanoseconds, stamp.mtime_nanoseconds) > now_ - k_settled) return;
  Entry entry;
  entry.stamp = stamp;
  entry.digest = content.hash;
  entry.day = today_;
  entry.has_capability = content.has_capability ? 1 : 0;
  const std::lock_guard lock(mutex_);
  const auto known = std::lower_bound(loaded_.begin(), loaded_.end(), stamp, before);
  if (known != loaded_.end() && known->stamp == stamp && known->content() == content) return;
  added_.erase(entry);
  added_.insert(entry);
  changed_ = true;
}

void StatCache::save() {
  const std::lock_guard lock(mutex_);
  if (!changed_) return;
  std::vector<Entry> entries;
  entries.reserve(loaded_.size() + added_.size());
  entries.insert(entries.end(), added_.begin(), added_.end());
  for (const Entry& entry : loaded_) {
    if (entry.day + k_kept_days >= today_ && !added_.contains(entry.stamp)) entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.stamp < b.stamp; });
  const std::string_view body(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry));
  std::string text(k_header);
  text += Sha256::hex_of(body);
  text += '\n';
  text += body;
  make_directories(file_.parent_path());
  write_file_atomic(file_, text, 0600);
  loaded_ = std::move(entries);
  added_.clear();
  changed_ = false;
}

}  // namespace tektii::store
