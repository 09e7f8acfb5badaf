#pragma once

#include "layer/tree_record.hpp"
#include <tektii/util/fd.hpp>

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::layer {

// Something that is not as it was recorded.
struct TreeDifference {
  enum class Kind {
    context,  // an unchanged directory with a difference below it
    changed,  // another file than before, or the same with other attributes
    gone,
  };
  Kind kind = Kind::changed;
  std::string_view path;                    // relative to the root
  int parent = -1;                          // the open directory that it is in
  const char* name = "";                    // in there
  const struct stat* status = nullptr;      // not of `gone`
  std::size_t before = TreeRecord::k_none;  // in the old record; none of what is new
  std::size_t now = TreeRecord::k_none;     // in the new record; not of `gone`
};

// Walks a tree by directory descriptors, one fstatat() per file and nothing more where nothing changed: a directory of
// which neither ctime nor mtime moved has the names that it had. Files are never opened. No symlink is followed.
class TreeScan {
 public:
  // Called for every difference, a directory before what is in it and siblings by name. Returns false for something
  // that is to be left out of the new record (it was removed).
  using Report = std::function<bool(const TreeDifference&)>;

  TreeScan(const TreeRecord* before, Report report, const std::stop_token& stop);
  // The record of the tree as it is; entry 0 is the root itself, which is never reported.
  TreeRecord run(int root);

 private:
  struct Level {
    int parent;
    const char* name;
    struct stat status;
    std::size_t before;
    std::size_t now;
    std::size_t path_size;  // of the directory's own path
    bool reported;
  };

  void scan_directory(int directory, std::size_t before, bool same_names);
  void scan_known_names(int directory, std::size_t before);
  void scan_names(int directory, std::size_t before);
  void visit(int directory, const char* name, std::size_t before);
  void enter(int directory, const char* name, const struct stat& status, std::size_t before, std::size_t now,
             bool same);
  bool report(TreeDifference difference, const char* name);
  void report_parents();

  const TreeRecord* before_;
  Report report_;
  const std::stop_token& stop_;
  TreeRecord now_;
  std::string path_;           // of the directory that the walk is in
  std::vector<Level> levels_;  // the directories above, without the root
};

}  // namespace tektii::layer
