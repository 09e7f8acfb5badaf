#include "layer/tree_changes.hpp"

#include "layer/file_status.hpp"
#include "layer/member_name.hpp"
#include <tektii/util/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace tektii::layer {

TreeChanges::TreeChanges(const TreeRecord& before, const FileTree& parent, const std::stop_token& stop)
    : before_(before), parent_(parent), stop_(stop) {}

TreeRecord TreeChanges::find(const std::filesystem::path& root, std::vector<Change>& changes) {
  const UniqueFd top = open_file(root, O_RDONLY | O_DIRECTORY);
  TreeScan scan(
      &before_, [&](const TreeDifference& difference) { return take(difference, changes); }, stop_);
  TreeRecord now = scan.run(top.get());
  group_names(changes);
  return now;
}

bool TreeChanges::take(const TreeDifference& difference, std::vector<Change>& changes) {
  if (difference.kind == TreeDifference::Kind::gone) {
    add_whiteout(difference.path, changes);
    return true;
  }
  if (S_ISSOCK(difference.status->st_mode)) return take_socket(difference, changes);
  Change change;
  change.path = difference.path;
  change.metadata =
      comparable(read_metadata_at(difference.parent, difference.name, *difference.status, "/" + change.path));
  if (S_ISREG(difference.status->st_mode)) note_names(difference, changes.size());
  changes.push_back(std::move(change));
  records_.push_back(difference.now);
  return true;
}

// Where it took the name of a file, the file is gone.
bool TreeChanges::take_socket(const TreeDifference& difference, std::vector<Change>& changes) {
  if (::unlinkat(difference.parent, difference.name, 0) != 0) {
    throw_errno("remove the socket /" + std::string(difference.path));
  }
  add_whiteout(difference.path, changes);
  return false;
}

// What the layers do not have needs none: the scan sees what was made in the tree and never was in a layer.
void TreeChanges::add_whiteout(std::string_view path, std::vector<Change>& changes) const {
  if (parent_.find(path) == nullptr) return;
  Change change;
  change.kind = Change::Kind::whiteout;
  change.path = path;
  changes.push_back(std::move(change));
}

void TreeChanges::note_names(const TreeDifference& difference, std::size_t change) {
  if (difference.status->st_nlink < 2) return;
  File& file = files_[difference.status->st_ino];
  file.links = static_cast<std::uint32_t>(difference.status->st_nlink);
  const bool is_old = difference.before != TreeRecord::k_none &&
                      before_.entry(difference.before).inode == difference.status->st_ino &&
                      S_ISREG(before_.entry(difference.before).mode);
  if (is_old) file.links_before = before_.entry(difference.before).links;
  file.names.push_back({change, is_old});
}

// Overlayfs takes a file that the layers have under several names apart: each name that is touched becomes a file of
// its own in the upper directory, and only names that the command made are links of what they were made of. So old
// names stay apart here. New ones go together; with an old name when they were linked to it, and without when they came
// from one that is gone (a rename).
void TreeChanges::group_names(std::vector<Change>& changes) const {
  for (const auto& [inode, file] : files_) {
    const auto old_names = static_cast<std::size_t>(
        std::count_if(file.names.begin(), file.names.end(), [](const Name& name) { return name.is_old; }));
    if (old_names == file.names.size()) continue;
    const bool any_gone = file.links_before > old_names;
    bool with_old = old_names > 0 && !any_gone;
    for (const Name& name : file.names) {
      if (name.is_old && !with_old) continue;
      if (name.is_old) with_old = false;
      changes[name.change].inode = {0, inode};
    }
  }
}

bool TreeChanges::is_exact(const std::vector<Change>& changes) const {
  return std::all_of(files_.begin(), files_.end(), [&](const auto& entry) {
    const File& file = entry.second;
    std::size_t written = 0;
    std::size_t grouped = 0;
    for (const Name& name : file.names) {
      written += changes[name.change].written ? 1 : 0;
      grouped += changes[name.change].inode ? 1 : 0;
    }
    return written == 0 || (grouped == file.links && written == file.links);
  });
}

void TreeChanges::look_again(DirStack& files, const std::vector<Change>& changes, TreeRecord& now) const {
  std::size_t next = 0;
  for (const Change& change : changes) {
    if (change.kind == Change::Kind::whiteout) continue;
    const std::size_t record = records_[next++];
    const std::optional<int> parent = files.enter(parent_path(change.path));
    const std::string name(base_name(change.path));
    struct stat status {};
    if (!parent || ::fstatat(*parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      throw_errno("stat /" + change.path);
    }
    now.set_entry(record, status);
  }
  struct stat status {};
  if (::stat(files.root().c_str(), &status) != 0) throw_errno("stat " + files.root().string());
  now.set_entry(0, status);
}

}  // namespace tektii::layer
