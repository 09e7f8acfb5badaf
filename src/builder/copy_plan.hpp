#pragma once

#include "accounts.hpp"
#include "copy_source.hpp"
#include "planned_tree.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/layer/file_tree.hpp>
#include <tektii/layer/layer_writer.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tektii::builder {

// What a COPY does to owner and mode.
struct CopyAttributes {
  std::optional<Owner> owner;
  std::optional<dockerfile::ModeChange> chmod;
  std::int64_t new_directory_mtime = 0;  // of directories that are made on the way
};

// Where a COPY goes.
struct CopyDestination {
  std::string path;              // absolute, clean
  bool wants_directory = false;  // it was written with a slash at its end
};

// Works out which entries a COPY or ADD adds to a file system and under which names, following the rules of BuildKit
// (fsutil/copy): links on the way to the destination lead where the kernel would go, directories merge, the destination
// and directories that are made on the way to it are 0755 (or an octal --chmod) whatever the source has, a file
// replaces a file, and a file and a directory of one name are an error. Archives replace instead, as tar does.
class CopyPlan {
 public:
  CopyPlan(const layer::FileTree& tree, CopyAttributes attributes)
      : planned_(tree), attributes_(std::move(attributes)) {}

  // Copies one source path, of which `entries` are what a visit gave: a directory's contents go into the destination; a
  // file becomes the destination, or goes under its own name into it when it is a directory by then. Names and
  // attributes are taken out of the entries: a context may have a million of them.
  void copy(std::vector<SourceEntry>& entries, const std::string& path, const CopyDestination& destination);
  // Puts the members of an archive into the destination, which is made a directory where it does not exist. Modes are
  // those of the archive (--chmod does not apply, as in BuildKit), owners too unless --chown gives another.
  void unpack(CopySource& archive, const CopyDestination& destination);

  bool empty() const { return planned_.empty(); }
  // Once.
  void write(layer::LayerWriter& writer, const std::stop_token& stop) { planned_.write(writer, stop); }

 private:
  std::string make_directories(const std::string& destination, std::uint32_t mode);
  std::uint32_t new_directory_mode() const;
  void place_file(SourceEntry& entry, const std::string& name, const CopyDestination& destination);
  std::string target_directory(const std::string& path);
  void place(std::string path, SourceEntry& source);
  void place_member(std::string path, SourceEntry& member);
  PlannedEntry planned_entry(SourceEntry& source) const;

  PlannedTree planned_;
  CopyAttributes attributes_;
  std::set<std::string> named_files_;  // destinations that a file took as its name
  int copies_ = 0;                     // sources so far
};

}  // namespace tektii::builder
