#pragma once

#include "layer/change_set.hpp"
#include "layer/dir_stack.hpp"
#include "layer/tree_record.hpp"
#include "layer/tree_scan.hpp"
#include <tektii/layer/file_tree.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::layer {

// Turns what a scan of a whole tree finds into the changes that a walk over an overlay's upper directory would give for
// the same command.
class TreeChanges {
 public:
  // Both are kept by reference: the record of before, and the tree of the layers that it was made of.
  TreeChanges(const TreeRecord& before, const FileTree& parent, const std::stop_token& stop);

  // Fills `changes` in the order of the layer and returns the new record. Sockets are removed: a layer can't hold them.
  TreeRecord find(const std::filesystem::path& root, std::vector<Change>& changes);

  // After ChangeSet::drop_unchanged(): false when names of one file went into different layers, which makes them
  // different files for whoever puts the layers together.
  bool is_exact(const std::vector<Change>& changes) const;

  // Records again what was touched since, by setting times.
  void look_again(DirStack& files, const std::vector<Change>& changes, TreeRecord& now) const;

 private:
  // A name of a regular file with several.
  struct Name {
    std::size_t change;  // its position
    bool is_old;         // the name was that file's before
  };
  struct File {
    std::vector<Name> names;
    std::uint32_t links = 0;         // names it has now
    std::uint32_t links_before = 0;  // names that it had, of those with an old name
  };

  bool take(const TreeDifference& difference, std::vector<Change>& changes);
  bool take_socket(const TreeDifference& difference, std::vector<Change>& changes);
  void add_whiteout(std::string_view path, std::vector<Change>& changes) const;
  void note_names(const TreeDifference& difference, std::size_t change);
  void group_names(std::vector<Change>& changes) const;

  const TreeRecord& before_;
  const FileTree& parent_;
  const std::stop_token& stop_;
  std::map<std::uint64_t, File> files_;  // by inode
  std::vector<std::size_t> records_;     // of each change that is no whiteout, in the new record
};

}  // namespace tektii::layer
