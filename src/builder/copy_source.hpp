#pragma once

#include "layer_stack.hpp"
#include <tektii/fs/file_metadata.hpp>
#include <tektii/fs/ignore.hpp>
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/stream.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::builder {

// One file, directory or link that a COPY takes.
struct SourceEntry {
  std::string relative_path;  // below the path that was visited; "" for that path itself
  fs::FileMetadata metadata;
  std::string link_id;                      // the same for all names of one hard-linked file; else empty
  BlobOpener open;                          // regular files
  std::function<std::string()> content_id;  // regular files: equal only for equal bytes
};

// Where COPY reads from: a directory on this machine or the file system of a stage or image. Paths are relative, clean
// (see clean_source_path) and never lead outside.
class CopySource {
 public:
  virtual ~CopySource() = default;
  // The paths that a source word names, sorted; a wildcard may match nothing. Symlinks on the way are followed.
  virtual std::vector<std::string> match(const std::string& pattern) = 0;
  // Visits what is at `path` (a symlink there is followed) and everything below, a directory before its children.
  virtual void visit(const std::string& path, const std::function<void(const SourceEntry&)>& visitor) = 0;
  // Why a path that exists is not offered ("excluded by .dockerignore"); empty when there is no such reason.
  virtual std::string exclusion_reason(const std::string& path) = 0;
};

// path.Clean("/" + word) without the leading slash: "../" can't leave the root, trailing slashes go.
std::string clean_source_path(std::string_view word);

// How files of a directory become entries of an image.
struct DirectoryRules {
  std::optional<std::int64_t> mtime;  // every file gets this time; nullopt keeps the times
  bool preserve_modes = false;  // else 0755 for directories and files their owner may execute, 0644 for other files
};

std::unique_ptr<CopySource> make_directory_source(const std::filesystem::path& root, fs::IgnorePatterns ignore,
                                                  std::string ignore_name, DirectoryRules rules);

// `stack` must outlive the source.
std::unique_ptr<CopySource> make_stage_source(LayerStack& stack, layer::Snapshots& snapshots, BlobFetcher& fetcher,
                                              std::stop_token stop);

}  // namespace tektii::builder
