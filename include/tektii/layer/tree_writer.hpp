#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/util/stream.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace tektii::layer {

// Makes files below an empty directory that nobody else uses, with the owners, modes, times and extended attributes
// that their metadata says; the form is that of an unpacked layer (Snapshots). Sockets are left out, and so are device
// nodes in a user namespace, with a warning.
class TreeWriter {
 public:
  explicit TreeWriter(std::filesystem::path directory);
  ~TreeWriter();

  // `path` is relative, "" the directory itself. `content` gives the bytes of a regular file.
  void add(const std::string& path, const fs::FileMetadata& metadata, const BlobOpener& content);
  // A hard link to a file added before.
  void add_hard_link(const std::string& path, const std::string& target);
  // Sets the attributes of directories; nothing may be added after it.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::layer
