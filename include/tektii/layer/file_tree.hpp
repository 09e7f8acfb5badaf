#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/layer/layer_index.hpp>
#include <tektii/oci/digest.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::layer {

// The metadata of a merged root file system. Copying one is cheap (nodes are shared and copied when changed), so every
// step of a build has its own.
class FileTree {
 public:
  struct Node {
    fs::FileMetadata metadata;
    std::optional<oci::Digest> layer;    // diff_id of the layer that the bytes are in (nullopt: the implicit root)
    std::string path_in_layer;           // where the bytes are in that layer; differs from the path for hard links
    std::optional<std::string> content;  // etc/passwd and etc/group
    std::map<std::string, std::shared_ptr<const Node>, std::less<>> children;  // directories only
  };

  FileTree();

  // Puts a layer on top: whiteouts and opaque directories act on what is below, a directory over a directory replaces
  // its attributes, anything else replaces (image-spec layer.md).
  void apply(const LayerIndex& index, const oci::Digest& diff_id);

  // The node itself, without following a symlink at the end; symlinked parents are not followed either. nullptr when it
  // does not exist. "" is the root.
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

 private:
  void note_overlaid(const LayerIndex& index, const oci::Digest& diff_id);

  std::shared_ptr<const Node> root_;
  std::set<std::string, std::less<>> overlaid_;  // may name what is gone since
};

}  // namespace tektii::layer
