#pragma once

#include "layer/dir_stack.hpp"
#include "layer/file_copier.hpp"
#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/working_tree.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace tektii::layer {

// Unpacked layers, each opened when something of it is first asked for. Within a layer no symlink is followed.
class UnpackedFiles {
 public:
  explicit UnpackedFiles(LayerDirectory directory) : directory_(std::move(directory)) {}

  // Opens the bytes of a regular file. Throws Error when the layer does not have them.
  UniqueFd open(const FileTree::Node& node);

 private:
  LayerDirectory directory_;
  std::map<oci::Digest, std::unique_ptr<DirStack>> layers_;
};

// Makes files, directories and everything else that a FileTree says into a real tree, by plain system calls alone.
// Names of one file become hard links. Device nodes that can't be made (in a user namespace) are left out.
class TreeMaker {
 public:
  // All are kept by reference.
  TreeMaker(const FileTree& tree, UnpackedFiles& files, FileCopier& copier, const std::stop_token& stop);

  // Makes what is in the directory `path` of the tree into the open empty directory `into`; the attributes of that
  // directory itself are not set. `root` is where the tree's root is or would be.
  void make_children(const FileTree::Node& directory, const std::string& path, DirStack& root, int into);
  // Makes one name, with everything below it, in the open directory `into` where it is not there yet.
  void make(const FileTree::Node& node, const std::string& path, const std::string& name, DirStack& root, int into);

  std::uint64_t made() const { return made_; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  void make_regular(const FileTree::Node& node, const std::string& path, const std::string& name, DirStack& root,
                    int into);
  void make_directory(const FileTree::Node& node, const std::string& path, const std::string& name, DirStack& root,
                      int into);
  void make_special(const FileTree::Node& node, const std::string& path, const std::string& name, int into);
  // Where the same file is already; nullopt when this is its first name.
  std::optional<std::string> earlier_name(const FileTree::Node& node, const std::string& path);

  const FileTree& tree_;
  UnpackedFiles& files_;
  FileCopier& copier_;
  const std::stop_token& stop_;
  // The first names of files whose name in the layer is not there, or comes later.
  std::map<std::pair<oci::Digest, std::string>, std::string> first_names_;
  std::uint64_t made_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace tektii::layer
