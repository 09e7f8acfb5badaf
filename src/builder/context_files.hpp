#pragma once

#include <tektii/fs/rooted_dir.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/layer/layer_writer.hpp>
#include <tektii/store/stat_cache.hpp>
#include <tektii/util/stream.hpp>

#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

namespace tektii::builder {

// A regular file of a directory, as a walk saw it.
struct ContextFile {
  std::string path;  // relative to the directory, without symlinks
  store::FileStamp stamp;
  layer::ContentHash hash{};  // zeros while it is not known
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
  // Fails when the file is not the one any more that the walk saw, or was written to while it was read: the key of the
  // step was computed from what was there then.
  std::unique_ptr<ByteSource> open(const ContextFile& file);
  // Lower-case hex SHA-256 of the bytes; reads the file when it is not known. Tells the stat cache.
  std::string content_id(ContextFile& file);

 private:
  std::shared_ptr<const UniqueFd> directory_of(const std::string& path);

  fs::RootedDir root_;
  store::StatCache* cache_;
  std::deque<ContextFile> files_;
  // Of the directory that the last file was opened in: files mostly follow their neighbours.
  std::mutex mutex_;
  std::string last_directory_;
  std::shared_ptr<const UniqueFd> last_directory_fd_;
};

}  // namespace tektii::builder
