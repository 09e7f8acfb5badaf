#pragma once

#include "layer/dir_stack.hpp"
#include <tektii/layer/diff.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tektii::layer {

// A file with several names, by device and inode.
using InodeKey = std::pair<std::uint64_t, std::uint64_t>;

// One entry of the layer to be, or a file that may have changed and turned out not to.
struct Change {
  enum class Kind { file, hard_link, whiteout };
  Kind kind = Kind::file;
  std::string path;
  fs::FileMetadata metadata;      // as it is on disk, without attributes that are no content
  std::string hard_link_target;   // hard_link only
  bool opaque = false;            // a directory that hides all of the parent's
  std::optional<InodeKey> inode;  // of a regular file whose names are to become hard links of one another
  bool written = true;
};

// What a command may have changed, and the layer that is made of it. Whoever finds the candidates, a walk over the
// upper directory of an overlay or a scan of a whole tree: the same changes give the same bytes.
class ChangeSet {
 public:
  // True when the file that the parent has as `old` has the bytes of the open file `fd` at `path`.
  using SameContent = std::function<bool(const FileTree::Node& old, const std::string& path, int fd)>;

  // `files` is the directory with the changed files. All but the function are kept by reference.
  ChangeSet(DirStack& files, const FileTree& parent, SameContent same_content, const DiffOptions& options,
            const std::stop_token& stop);

  // Candidates in the order of the layer: sorted by path_less(), with all directories above them.
  std::vector<Change>& changes() { return changes_; }
  const std::vector<Change>& changes() const { return changes_; }

  // Leaves out what is as the parent has it, and turns all but the first name of a file into hard links.
  void drop_unchanged();
  void write(LayerWriter& writer);
  // Gives the files, and those that did not change, the times that a fresh unpack would give them.
  void set_times();

 private:
  void drop_unchanged_files();
  void drop_unchanged_directories();
  bool is_unchanged(const Change& change);
  UniqueFd open(const std::string& path);
  std::int64_t clamped(std::int64_t mtime) const;

  DirStack& files_;
  const FileTree& parent_;
  SameContent same_content_;
  const DiffOptions& options_;
  const std::stop_token& stop_;
  std::vector<Change> changes_;
};

}  // namespace tektii::layer
