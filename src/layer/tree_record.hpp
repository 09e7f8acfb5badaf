#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::layer {

// What stat(2) said of everything in a tree, in the order of a walk: a directory before what is in it, siblings by the
// bytes of their names. Some 70 bytes a file; there are no paths, whoever walks along knows where it is.
class TreeRecord {
 public:
  static constexpr std::size_t k_none = static_cast<std::size_t>(-1);

  struct Entry {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;  // not of directories: some file systems change it with what is in them
    std::uint64_t device = 0;
    std::int64_t mtime = 0;  // nanoseconds
    std::int64_t ctime = 0;
    std::uint32_t mode = 0;  // with the type
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t links = 0;  // not of directories

    bool operator==(const Entry&) const = default;
    bool is_directory() const { return S_ISDIR(mode); }
  };
  static Entry entry_of(const struct stat& status);

  std::size_t size() const { return nodes_.size(); }
  const Entry& entry(std::size_t i) const { return nodes_[i].entry; }
  void set_entry(std::size_t i, const struct stat& status);
  const char* name(std::size_t i) const { return names_.data() + nodes_[i].name; }
  // The first entry that is not below `i`; what is in a directory is from i + 1 on, going on by end().
  std::size_t end(std::size_t i) const { return nodes_[i].end; }

  // Adds an entry behind all others; what is below it follows, and then close(). Throws Error for more than 4 GiB of
  // names or entries.
  std::size_t open(std::string_view name, const struct stat& status);
  void close(std::size_t i) { nodes_[i].end = static_cast<std::uint32_t>(nodes_.size()); }
  void drop_last();
  void reserve(std::size_t entries, std::size_t name_bytes);
  std::size_t name_bytes() const { return names_.size(); }
  // The latest ctime.
  std::int64_t newest() const { return newest_; }

 private:
  struct Node {
    Entry entry;
    std::uint32_t name;  // where in names_, which has a 0 behind each
    std::uint32_t end;
  };
  std::vector<Node> nodes_;
  std::string names_;
  std::int64_t newest_ = 0;
};

}  // namespace tektii::layer
