#pragma once

#include "layer/dir_stack.hpp"
#include "layer/layer_limits.hpp"
#include <tektii/fs/file_metadata.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::layer {

// A directory that a tar leaves out but has something in: 0755 of root, with time 0, whoever unpacks it and when.
fs::FileMetadata implicit_directory();

// The directories that the members of one tar make below a root that nobody else uses, and what they are to be like in
// the end: that has to wait for the last member, because one may come after the directory that it changes, or be below
// one that may not be written to. No symlink is followed.
class TarDirectories {
 public:
  // Asked when a parent is there and no directory: makes `path` one, or says that it can't (false).
  using MakeRoom = std::function<bool(int parent, const std::string& name, const std::string& path)>;
  using Finish = std::function<void(int fd, const std::string& path, const fs::FileMetadata& metadata)>;

  // `tar` names the kind of tar in errors. Of the budget, the names and attributes that are remembered are taken: one
  // member with a long path makes many directories.
  TarDirectories(const std::filesystem::path& root, std::string tar, TarBudget budget = TarBudget());

  // A descriptor as DirStack gives it. What is missing of the path is made as implicit directories. Throws
  // Error{failure} below something else than a directory.
  int enter_or_make(std::string_view directory, const MakeRoom& make_room = {});
  // A second cursor, which does not disturb the first; it makes nothing.
  std::optional<int> enter_target(std::string_view directory) { return targets_.enter(directory); }
  // What a directory that is there is to be like.
  void set(const std::string& path, fs::FileMetadata metadata);
  // Removes what an earlier member made at `path`, with all that is below.
  void remove(std::string_view path);
  // Children first: a directory may lose the permission to enter it.
  void finish(const Finish& finish);

 private:
  DirStack stack_;
  DirStack targets_;
  std::string tar_;
  TarBudget budget_;
  std::map<std::string, fs::FileMetadata, bool (*)(std::string_view, std::string_view)> directories_;
};

}  // namespace tektii::layer
