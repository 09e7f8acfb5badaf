#pragma once

#include "accounts.hpp"
#include "copy_source.hpp"
#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/layer_writer.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace tektii::builder {

// What a COPY does to owner and mode.
struct CopyAttributes {
  std::optional<Owner> owner;
  std::function<std::uint32_t(std::uint32_t mode, bool is_directory)> chmod;  // empty: modes stay
  std::int64_t new_directory_mtime = 0;                                       // of directories that are made on the way
};

// Works out which entries a COPY adds to a file system and under which names, following the rules of BuildKit: links on
// the way to the destination lead where the kernel would go, directories merge, directories that exist keep their
// attributes, a file replaces a file, and a file and a directory of one name are an error.
class CopyPlan {
 public:
  CopyPlan(const layer::FileTree& tree, CopyAttributes attributes) : tree_(tree), attributes_(std::move(attributes)) {}

  // `destination` is absolute. True when it names a directory that exists already.
  bool is_directory(const std::string& destination) const;
  // Copies one source path: a directory's contents go into `destination`; a file becomes `destination`, or goes under
  // its own name into it when `into_directory`.
  void copy(CopySource& source, const std::string& path, const std::string& destination, bool into_directory);

  bool empty() const { return entries_.empty(); }
  void write(layer::LayerWriter& writer, const std::stop_token& stop) const;

 private:
  struct Entry {
    fs::FileMetadata metadata;
    BlobOpener open;
    std::string link_id;
  };

  const fs::FileMetadata* existing(const std::string& path) const;
  std::string make_directories(const std::string& destination);
  void place(const std::string& path, const SourceEntry& source, bool is_root);
  void write_parent(layer::LayerWriter& writer, const std::string& path, const fs::FileMetadata& metadata) const;

  const layer::FileTree& tree_;
  CopyAttributes attributes_;
  std::map<std::string, Entry> entries_;             // by path in the image, so parents come before their children
  int copies_ = 0;                                   // sources so far
  std::map<std::string, fs::FileMetadata> parents_;  // directories on the way that exist already
};

}  // namespace tektii::builder
