#pragma once

#include <tektii/layer/diff.hpp>
#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/layer_writer.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace tektii::layer {

// The directory of an unpacked layer, unpacked for it where it has to be; asked for when bytes of it are needed.
using LayerDirectory = std::function<std::filesystem::path(const oci::Digest& diff_id)>;

// A root file system as real files of its own, for commands where layers can't be stacked by overlayfs. Making it and
// finding out what a command changed take neither mounts nor namespaces. Files share their blocks with the unpacked
// layers where the file system can (reflinks), else they are copies. Owners, modes, times, extended attributes, hard
// links, device nodes, fifos and symlinks are those of the tree; device nodes that can't be made here (in a user
// namespace) are left out, as Snapshots leaves them out.
//
// What was made is recorded by what stat(2) says of it. A command's changes are found by a second look at every inode
// (inode, size, mode, owner, device, links, mtime, ctime); files are read only when their ctime moved and nothing else
// did, to see that they are as before. The layer is the one that diff_to_layer() makes of an overlay's upper directory
// after the same command, byte for byte, but for writing to a file with several names: here all of them see it, which
// overlayfs does not do.
//
// Removed with this object, or by the next Snapshots when the process is killed.
class WorkingTree {
 public:
  // Makes the whole tree in `place`, which nobody else uses.
  WorkingTree(OverlayWorkspace place, const FileTree& tree, const LayerDirectory& layers, const std::stop_token& stop);
  WorkingTree(WorkingTree&&) noexcept;
  WorkingTree& operator=(WorkingTree&&) noexcept;
  ~WorkingTree();

  // The directory that is the root of a command, and an empty one beside it.
  std::filesystem::path root() const;
  std::filesystem::path work() const;

  // Brings the tree, which is of the lowest `layers` layers of `tree`, up to all of them. After a failure the tree is
  // of no use any more.
  void advance(const FileTree& tree, std::size_t layers, const std::stop_token& stop);

  // Before each command: the root directory is root's with 0755 whatever the last command made of it (it is in no
  // layer), and the clock of the file system has moved on, so that no change can have the time of what was recorded.
  // What else was changed since the last scan counts as the command's.
  void begin();

  // Adds to `writer` what has changed since the tree was made or last looked at, against `parent`, the tree that this
  // one is of; as diff_to_layer() does it for an overlay. From then on the changed state is the one to compare with.
  void diff_to_layer(const FileTree& parent, const DiffOptions& options, LayerWriter& writer,
                     const std::stop_token& stop);

  // False after a diff that left the tree different from what its layers give, so that it can't be used on: a layer
  // can't say that a file of another layer got one more name.
  bool is_exact() const;

  struct Made {
    std::uint64_t entries = 0;
    std::uint64_t cloned = 0;  // files that share their blocks with the layers
    std::uint64_t copied = 0;
  };
  Made made() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Makes a part of a tree at its own path below `place.upper()`: a directory with everything below it, or one file, and
// the directories above with their attributes. `path` has no symlinks on the way. Throws Error{failure} when it does
// not exist.
void make_part(const OverlayWorkspace& place, const FileTree& tree, const std::string& path,
               const LayerDirectory& layers, const std::stop_token& stop);

}  // namespace tektii::layer
