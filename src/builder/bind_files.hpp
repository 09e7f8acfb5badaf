#pragma once

#include "copy_source.hpp"
#include <tektii/layer/snapshots.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::builder {

// Directories with what bind mounts take from the context, each written once per build and removed with this object.
// Thread-safe.
class BindFiles {
 public:
  struct Files {
    std::filesystem::path directory;
    std::string path;  // of what was asked for, in the directory: "/" or "/name"
  };
  // `key` says what the files are (their content): the same key gives the same directory.
  Files get(const std::string& key, CopySource& source, const std::string& path, layer::Snapshots& snapshots,
            const std::stop_token& stop);

 private:
  struct Entry {
    std::mutex mutex;
    std::optional<layer::OverlayWorkspace> workspace;
    std::string path;
  };

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

// True when the source has this path; what would be a wildcard elsewhere is a plain character.
bool has_path(CopySource& source, const std::string& path);

// Writes what is at `path` of the source into an empty directory: the contents of a directory, or one file. Returns the
// path in there, "/" or "/name".
std::string write_files(CopySource& source, const std::string& path, const std::filesystem::path& directory,
                        const std::stop_token& stop);

}  // namespace tektii::builder
