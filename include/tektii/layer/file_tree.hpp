#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/layer/layer_index.hpp>
#include <tektii/oci/digest.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::layer {

class LayerTable;

// The metadata of a merged root file system. It is looked up in the tables of its layers where and when it is asked
// for: putting a layer on top costs nothing, and what nobody asks for is never put together. A copy shares what is
// known, so every step of a build has its own tree. A tree that nobody changes may be read by any number of threads.
class FileTree {
 public:
  class Node {
   public:
    fs::FileMetadata metadata;
    std::optional<oci::Digest> layer;    // diff_id of the layer that the bytes are in (nullopt: the implicit root)
    std::string path_in_layer;           // where the bytes are in that layer; differs from the path for hard links
    std::optional<std::string> content;  // etc/passwd and etc/group

    Node();
    ~Node();
    // What is in a directory, sorted by name; of anything else nothing.
    std::vector<std::pair<std::string_view, const Node*>> children() const;

   private:
    friend class FileTree;
    struct Directory;
    std::size_t position_ = 0;  // of the layer
    std::unique_ptr<Directory> directory_;
  };

  FileTree();

  // Puts a layer on top: whiteouts and opaque directories act on what is below, a directory over a directory replaces
  // its attributes, anything else replaces (image-spec layer.md). Throws Error{failure}, and changes nothing, when the
  // layer is malformed. Nodes of before are nodes of the old tree.
  void apply(const LayerIndex& index, const oci::Digest& diff_id);
  void apply(std::shared_ptr<const LayerTable> layer, const oci::Digest& diff_id);

  // The node itself, without following a symlink at the end; symlinked parents are not followed either. nullptr when it
  // does not exist. "" is the root. Nodes stay where they are until the next apply().
  const Node* find(std::string_view path) const;

  struct Resolved {
    std::string path;            // without symlinks; what does not exist yet is appended as it is
    const Node* node = nullptr;  // nullptr when it does not exist
  };
  // Follows symlinks as the kernel would inside a chroot ("..", absolute targets, at most 40 links; throws Error on a
  // loop). With follow_last = false the last component stays as it is.
  Resolved resolve(std::string_view path, bool follow_last = true) const;

  // Content of /etc/passwd or /etc/group (through symlinks), empty when there is none.
  std::string account_file(std::string_view path) const;

  // Directories, parents first, into which a later layer put names (or took them from) without an entry for the
  // directory itself. Unpacked, that layer shows the directory as root's with 0755, which is not what the tree says.
  std::vector<std::string> overlaid_directories() const;

  struct Touched {
    std::string path;
    bool replaced = false;  // nothing is left of what other layers have at and below it
  };
  // What the layers from position `first` on (0 is the lowest) have entries for, sorted by path_less(), each path once.
  // "" is left out.
  std::vector<Touched> touched_since(std::size_t first) const;

 private:
  struct Merged;
  std::shared_ptr<const Merged> merged_;
};

}  // namespace tektii::layer
