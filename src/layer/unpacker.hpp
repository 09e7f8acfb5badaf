#pragma once

#include "layer/layer_reader.hpp"
#include "layer/tar_directories.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace tektii::layer {

// Makes the members of one layer into files below a directory that nobody else uses, in the form that overlayfs takes
// as a lower directory: whiteouts are 0/0 character devices, opaque directories carry user.overlay.opaque. Nothing is
// ever made outside of the directory: no symlink is followed, and a member below a symlink of the same layer is an
// Error. Owners, modes, times (whole seconds) and extended attributes are those of the tar; parents that the tar leaves
// out are 0755 root with time 0.
//
// Device nodes can't be made in a user namespace; they are left out with a warning, and the index still has them.
class Unpacker : public LayerVisitor {
 public:
  // `directory` exists and is empty. With `plain`, whiteouts and opaque marks are left out: file systems that can't be
  // used by overlayfs often can't hold them either.
  explicit Unpacker(const std::filesystem::path& directory, bool plain = false);

  // True when a mark was left out, so that the directory is no lower directory for overlayfs.
  bool left_marks_out() const { return left_marks_out_; }

  void visit(const LayerEntry& entry, const Content& content) override;
  // Sets what had to wait for the last member: everything about directories.
  void finish();

 private:
  struct Place {
    int parent;        // a descriptor of the directory, valid until the next enter()
    std::string name;  // in it
  };
  void put_file(const LayerEntry& entry, const Content& content);
  void put_directory(const LayerEntry& entry);
  void put_regular(const LayerEntry& entry, const Content& content);
  void put_special(const LayerEntry& entry);
  void put_hard_link(const LayerEntry& entry);
  void put_whiteout(const std::string& path);
  void make_opaque(const std::string& path);
  bool make_node(const Place& place, const LayerEntry& entry);

  Place place_of(std::string_view path);
  int enter_or_make(std::string_view directory);
  // Removes what an earlier member of the same layer made at `path`.
  void remove_earlier(std::string_view path);

  void mark_opaque(int fd, const std::string& path);

  TarDirectories directories_;
  bool plain_;
  bool left_marks_out_ = false;
  std::set<std::string, std::less<>> left_out_;  // device nodes
};

}  // namespace tektii::layer
