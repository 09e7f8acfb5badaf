#pragma once

#include "layer/dir_stack.hpp"
#include "layer/tree_maker.hpp"
#include <tektii/layer/file_tree.hpp>

#include <set>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::layer {

// Brings a real tree of some layers up to a FileTree that has more layers on top.
class TreeUpdate {
 public:
  // All are kept by reference; `maker` makes the files of `next`.
  TreeUpdate(const FileTree& next, TreeMaker& maker, DirStack& root, const std::stop_token& stop);

  // `layers` is how many of the tree's layers the real tree is of.
  void run(std::size_t layers);

 private:
  void update(const std::string& path, bool replaced);
  bool make_parents(const std::string& path);
  bool is_done(std::string_view path) const;
  void remove(const std::string& path);
  void set_directories();

  const FileTree& next_;
  TreeMaker& maker_;
  DirStack& root_;
  const std::stop_token& stop_;
  std::string done_;                            // a directory that was made with all that is in it
  std::set<std::string, std::less<>> touched_;  // directories whose attributes have to be set
};

}  // namespace tektii::layer
