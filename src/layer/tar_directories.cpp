#include "layer/tar_directories.hpp"

#include "layer/member_name.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tektii::layer {

fs::FileMetadata implicit_directory() {
  fs::FileMetadata metadata;
  metadata.type = fs::FileType::directory;
  metadata.mode = 0755;
  return metadata;
}

TarDirectories::TarDirectories(const std::filesystem::path& root, std::string tar, TarBudget budget)
    : stack_(root), targets_(root), tar_(std::move(tar)), budget_(budget), directories_(&path_less) {}

int TarDirectories::enter_or_make(std::string_view directory, const MakeRoom& make_room) {
  if (const std::optional<int> fd = stack_.enter(directory)) return *fd;
  // From the deepest directory that exists, one level after the other.
  std::string path = stack_.deepest();
  while (path.size() < directory.size()) {
    const std::size_t begin = path.empty() ? 0 : path.size() + 1;
    const std::size_t end = std::min(directory.find('/', begin), directory.size());
    const std::optional<int> parent = stack_.enter(path);
    if (!parent) throw_errno("open " + path);
    const std::string name(directory.substr(begin, end - begin));
    path = std::string(directory.substr(0, end));
    if (::mkdirat(*parent, name.c_str(), 0700) == 0) {
      set(path, implicit_directory());
      continue;
    }
    if (errno != EEXIST) throw_errno("create directory " + path);
    if (make_room && make_room(*parent, name, path)) continue;
    throw Error(ErrorKind::failure,
                fmt::format("\"{}\" is below \"{}\", which the same {} makes something else than a directory",
                            escape_control(directory), escape_control(path), tar_));
  }
  const std::optional<int> fd = stack_.enter(directory);
  if (!fd) throw_errno("open " + std::string(directory));
  return *fd;
}

void TarDirectories::set(const std::string& path, fs::FileMetadata metadata) {
  std::size_t bytes = sizeof metadata + path.size();
  for (const auto& [name, value] : metadata.xattrs) bytes += 64 + name.size() + value.size();
  budget_.take_metadata(bytes);
  directories_.insert_or_assign(path, std::move(metadata));
}

void TarDirectories::remove(std::string_view path) {
  stack_.forget(path);
  targets_.forget(path);
  // Only directories of ours are on the way: enter_or_make() has opened them one by one.
  remove_tree(stack_.root() / path);
  auto it = directories_.find(std::string(path));
  if (it == directories_.end()) return;
  const std::string below = std::string(path) + '/';
  it = directories_.erase(it);
  while (it != directories_.end() && it->first.starts_with(below)) it = directories_.erase(it);
}

void TarDirectories::finish(const Finish& finish) {
  for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) {
    const std::optional<int> fd = stack_.enter(it->first);
    if (!fd) throw_errno("open " + it->first);
    finish(*fd, it->first, it->second);
  }
}

}  // namespace tektii::layer
