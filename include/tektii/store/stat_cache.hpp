#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

namespace tektii::store {

// What stat(2) says of a file that has the content it had. The change time can't be set by a program, so a file that
// was written again differs in it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_nanoseconds = 0;
  std::int64_t ctime_nanoseconds = 0;

  auto operator<=>(const FileStamp&) const = default;  // NOLINT(modernize-use-nullptr): the 0 it is compared with
};

// Remembers the SHA-256 of files by their stamps, so that a file which did not change is only stat'ed. Kept in one
// file; a damaged one counts as empty. Two processes may use the same file: the one that saves last wins, which costs
// the other a few hashes in the next build. Thread-safe.
class StatCache {
 public:
  // Reads the file, when there is one. `now` is the wall clock, in nanoseconds since 1970.
  StatCache(std::filesystem::path file, std::int64_t now);

  using Hash = std::array<std::uint8_t, 32>;
  // What a look into a file tells.
  struct Content {
    Hash hash{};                  // SHA-256 of the bytes
    bool has_capability = false;  // it has the extended attribute security.capability

    bool operator==(const Content&) const = default;
  };

  std::optional<Content> find(const FileStamp& stamp);
  // `content` is what was found between two looks at the file that both gave `stamp`. A stamp younger than k_settled is
  // not kept: a write in the same tick of the file system's clock would not change it again.
  void remember(const FileStamp& stamp, const Content& content);
  // Writes what was added or used; entries that nothing asked for in k_kept_days are dropped. Does nothing when nothing
  // changed.
  void save();

  static constexpr std::int64_t k_settled = 2'000'000'000;  // nanoseconds
  static constexpr std::uint32_t k_kept_days = 30;

 private:
  struct Entry {
    FileStamp stamp;
    Hash digest{};
    std::uint32_t day = 0;  // of the last use, since 1970
    std::uint32_t has_capability = 0;

    Content content() const { return {digest, has_capability != 0}; }
  };
  static bool before(const Entry& entry, const FileStamp& stamp) { return entry.stamp < stamp; }
  struct HashStamp {
    using is_transparent = void;
    std::size_t operator()(const FileStamp& stamp) const;
    std::size_t operator()(const Entry& entry) const { return (*this)(entry.stamp); }
  };
  struct SameStamp {
    using is_transparent = void;
    static const FileStamp& of(const Entry& entry) { return entry.stamp; }
    static const FileStamp& of(const FileStamp& stamp) { return stamp; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return of(a) == of(b);
    }
  };

  void load();

  std::filesystem::path file_;
  std::int64_t now_;
  std::uint32_t today_;
  std::mutex mutex_;
  std::vector<Entry> loaded_;  // sorted by stamp
  std::unordered_set<Entry, HashStamp, SameStamp> added_;
  bool changed_ = false;
};

}  // namespace tektii::store
