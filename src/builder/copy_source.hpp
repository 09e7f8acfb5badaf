#pragma once

#include "layer_stack.hpp"
#include "source_file.hpp"
#include <tektii/fs/file_metadata.hpp>
#include <tektii/fs/ignore.hpp>
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/layer/layer_writer.hpp>
#include <tektii/store/stat_cache.hpp>
#include <tektii/util/error.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::builder {

// What a step asks of the content of a file that it takes.
struct SourceContent {
  std::shared_ptr<SourceFile> file;  // regular files
  // Files of a directory of this machine, as long as the source: where the hash of the bytes is or, while it is zeros,
  // may be left by whoever reads them; and what the file was when it was visited.
  layer::ContentHash* content_hash = nullptr;
  const store::FileStamp* stamp = nullptr;
};

// One file, directory or link that a COPY takes.
struct SourceEntry : SourceContent {
  std::string relative_path;  // below the path that was visited; "" for that path itself
  fs::FileMetadata metadata;
  std::string link_id;  // the same for all names of one hard-linked file; else empty
};

// Where COPY and ADD read from: a directory on this machine, the file system of a stage or image, a here-document, what
// was fetched from another machine, an archive. Paths are relative, clean (see clean_source_path) and never lead
// outside. One thread at a time.
class CopySource {
 public:
  using Visitor = std::function<void(SourceEntry&&)>;
  // True for a directory (relative to what is visited, "" for that itself) whose contents are not asked for.
  using Prune = std::function<bool(const std::string& relative_path)>;

  virtual ~CopySource() = default;
  // The paths that a source word names, sorted; a wildcard may match nothing. Symlinks on the way are followed, except
  // behind a wildcard. Throws Error{usage} for a malformed pattern, when a wildcard finds a link that leads nowhere,
  // and when the word is a socket's name.
  virtual std::vector<std::string> match(const std::string& pattern) { return {pattern}; }
  // Visits what is at `path` (a symlink there is followed) and everything below, a directory before its children.
  virtual void visit(const std::string& path, const Visitor& visitor, const Prune& prune) = 0;
  void visit(const std::string& path, const Visitor& visitor) { visit(path, visitor, {}); }
  // Why a path that exists is not offered ("excluded by .dockerignore, line 2: *.tmp"); empty when there is no such
  // reason.
  virtual std::string exclusion_reason(const std::string&) { return {}; }
  // Stands for everything that a visit would give, where that is known without one: a commit, a checksum.
  virtual std::optional<std::string> known_content() { return std::nullopt; }
};

// The error of a wildcard that finds such a link.
Error dangling_link(const std::string& path);

// path.Clean("/" + word) without the leading slash: "../" can't leave the root, trailing slashes go.
std::string clean_source_path(std::string_view word);

// How files of a directory become entries of an image.
struct DirectoryRules {
  std::optional<std::int64_t> mtime;  // every file gets this time; nullopt keeps the times
  bool preserve_modes = false;  // else 0755 for directories and files their owner may execute, 0644 for other files
  store::StatCache* stat_cache = nullptr;  // spares reading files that did not change; outlives the source
};

std::unique_ptr<CopySource> make_directory_source(const std::filesystem::path& root, fs::IgnorePatterns ignore,
                                                  std::string ignore_name, DirectoryRules rules);

// `stack`, which nobody pushes to meanwhile, must outlive the source and what it opens. Nothing is unpacked.
std::unique_ptr<CopySource> make_stage_source(LayerStack& stack, layer::Snapshots& snapshots, BlobFetcher& fetcher,
                                              const std::stop_token& stop);

// A file whose text is in the Dockerfile; mode 0644. It is visited under its name.
std::unique_ptr<CopySource> make_text_source(std::string text, std::int64_t mtime);

}  // namespace tektii::builder
