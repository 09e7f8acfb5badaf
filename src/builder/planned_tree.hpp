#pragma once

#include "source_file.hpp"
#include <tektii/fs/file_metadata.hpp>
#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/layer_writer.hpp>

#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::builder {

// What a step puts at one path.
struct PlannedEntry {
  fs::FileMetadata metadata;
  std::shared_ptr<SourceFile> file;            // regular files
  std::string link_id;                         // the same for all names of one file; else empty
  layer::ContentHash* content_hash = nullptr;  // where the hash of the bytes is asked for
};

// A root file system as a step will leave it: what is planned, over what the image has. Nothing is written until
// write(). Paths are relative to the root, clean, and without symlinks where they come out of resolve().
class PlannedTree {
 public:
  // `below` must outlive the plan.
  explicit PlannedTree(const layer::FileTree& below) : below_(below) {}

  // nullptr when nothing is there. A symlink at the end is not followed.
  const fs::FileMetadata* find(const std::string& path) const;
  bool is_directory(const std::string& path) const;
  // Follows symlinks as the kernel would inside a chroot; what does not exist is kept as it is. Throws Error on a loop.
  std::string resolve(std::string_view path) const;

  // Puts an entry where there is nothing, a directory over a directory, or another type over anything but a directory.
  void put(std::string path, PlannedEntry entry);
  // Puts an entry over anything: what was there and below is gone, unless both are directories.
  void replace(std::string path, PlannedEntry entry);
  // A directory that exists and stays as it is, but is written again if something below it is written: a layer that
  // leaves a parent out shows it as root's with 0755 where layers are stacked as directories (overlayfs), and /tmp
  // would lose its sticky bit.
  void keep_directory(const std::string& path);

  bool empty() const { return entries_.empty(); }
  // Adds everything in the order of the paths, parents before their children. Nothing is left of it then: a plan may
  // have a million entries, and the writer keeps what it gets.
  void write(layer::LayerWriter& writer, const std::stop_token& stop);

 private:
  bool is_hidden(const std::string& path) const;
  void write_kept(layer::LayerWriter& writer, const std::string& path, const fs::FileMetadata& metadata) const;

  const layer::FileTree& below_;
  std::map<std::string, PlannedEntry> entries_;
  std::map<std::string, fs::FileMetadata> kept_;
  std::set<std::string, std::less<>> hidden_;  // directories of the image that something else took the place of
};

}  // namespace tektii::builder
