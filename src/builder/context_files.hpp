#pragma once

#include "source_file.hpp"
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/layer/layer_writer.hpp>
#include <tektii/store/stat_cache.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace tektii::builder {

class ContextFiles;

// A regular file of a directory, as a walk saw it. There is one for each file of a context, so it is small: most names
// need no memory of their own.
class ContextFile : public SourceFile {
 public:
  ContextFile(ContextFiles& files, const std::string& directory, std::string name, const store::FileStamp& stamp)
      : files_(files), directory_(directory), name_(std::move(name)), stamp_(stamp) {}

  // Fails when the file is not the one any more that the walk saw, or was written to while it was read: the key of the
  // step was computed from what was there then.
  std::unique_ptr<ByteSource> open() override;
  // Reads the file when its hash is not known. Tells the stat cache.
  std::string content_id() override;
  // Adds the file's capability.
  void complete(fs::FileMetadata& metadata) override;

  std::string path() const { return directory_.empty() ? name_ : directory_ + "/" + name_; }
  const store::FileStamp& stamp() const { return stamp_; }
  layer::ContentHash& hash() { return hash_; }  // zeros while it is not known

 private:
  friend class ContextFiles;
  enum class Capability : std::uint8_t { unknown, none, some };

  ContextFiles& files_;
  const std::string& directory_;  // relative to the context, without symlinks
  std::string name_;
  store::FileStamp stamp_;
  layer::ContentHash hash_{};
  Capability capability_ = Capability::unknown;
};

// True once the hash is there.
bool is_known(const layer::ContentHash& hash);

// Opens and hashes the files that walks of one directory saw. Thread-safe, but for add() and one file at a time.
class ContextFiles {
 public:
  // `cache` may be nullptr, and outlives this.
  ContextFiles(const std::filesystem::path& root, store::StatCache* cache);

  const fs::RootedDir& root() const { return root_; }

  // Keeps what is needed of a file; stays where it is until this object goes. Its hash is there when the stat cache
  // knows it.
  ContextFile& add(const fs::WalkEntry& walked);

 private:
  friend class ContextFile;

  std::shared_ptr<const UniqueFd> opened(const std::string& directory);
  UniqueFd open_file(const ContextFile& file);
  void ask_capability(ContextFile& file);
  void note_capability(ContextFile& file, std::optional<std::string> value);
  std::string capability(const ContextFile& file);

  fs::RootedDir root_;
  store::StatCache* cache_;
  std::deque<std::string> directories_;
  std::deque<ContextFile> files_;
  std::mutex mutex_;
  // The last one that a file was opened in: files mostly follow their neighbours.
  const std::string* last_directory_ = nullptr;
  std::shared_ptr<const UniqueFd> last_directory_fd_;
  std::unordered_map<const ContextFile*, std::string> capabilities_;  // few files have one
};

}  // namespace tektii::builder
