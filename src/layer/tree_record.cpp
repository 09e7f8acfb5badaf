#include "layer/tree_record.hpp"

#include <tektii/util/error.hpp>

#include <algorithm>
#include <limits>

namespace tektii::layer {

namespace {

std::int64_t to_nanoseconds(const timespec& time) {
  constexpr std::int64_t k_nanoseconds = 1'000'000'000;
  return static_cast<std::int64_t>(time.tv_sec) * k_nanoseconds + time.tv_nsec;
}

}  // namespace

TreeRecord::Entry TreeRecord::entry_of(const struct stat& status) {
  Entry entry;
  entry.inode = status.st_ino;
  entry.device = status.st_rdev;
  entry.mtime = to_nanoseconds(status.st_mtim);
  entry.ctime = to_nanoseconds(status.st_ctim);
  entry.mode = status.st_mode;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  if (!S_ISDIR(status.st_mode)) {
    entry.size = static_cast<std::uint64_t>(status.st_size);
    entry.links = static_cast<std::uint32_t>(status.st_nlink);
  }
  return entry;
}

void TreeRecord::set_entry(std::size_t i, const struct stat& status) {
  nodes_[i].entry = entry_of(status);
  newest_ = std::max(newest_, nodes_[i].entry.ctime);
}

std::size_t TreeRecord::open(std::string_view name, const struct stat& status) {
  constexpr std::size_t k_limit = std::numeric_limits<std::uint32_t>::max();
  if (names_.size() + name.size() >= k_limit || nodes_.size() >= k_limit - 1) {
    throw Error(ErrorKind::failure, "the tree has more than 4 GiB of names");
  }
  Node node{entry_of(status), static_cast<std::uint32_t>(names_.size()), 0};
  newest_ = std::max(newest_, node.entry.ctime);
  names_.append(name).push_back('\0');
  nodes_.push_back(node);
  return nodes_.size() - 1;
}

void TreeRecord::drop_last() {
  names_.resize(nodes_.back().name);
  nodes_.pop_back();
}

void TreeRecord::reserve(std::size_t entries, std::size_t name_bytes) {
  nodes_.reserve(entries);
  names_.reserve(name_bytes);
}

}  // namespace tektii::layer
