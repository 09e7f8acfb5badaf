#pragma once

#include <tektii/util/stream.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace tektii {

// Reads a whole file; throws Error with the path, also when it is longer than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = 1U << 30);

// Opens a file as a stream.
std::unique_ptr<ByteSource> open_source(const std::filesystem::path& path);

// Writes beside the target and renames over it, so that a reader or a crash sees the old file or the new one. `mode` is
// exact: the umask does not apply.
void write_file_atomic(const std::filesystem::path& path, std::string_view content, unsigned mode = 0644);

// mkdir -p; throws Error with the path.
void make_directories(const std::filesystem::path& path);

// Removes a tree without following symlinks, giving itself permission on directories where it owns them. A path that
// is already gone is not an error; anything that can't be removed throws Error.
void remove_tree(const std::filesystem::path& path);

// A new private directory (0700) under `parent` (default: $TMPDIR, else /tmp), removed by the destructor.
class TempDir {
 public:
  explicit TempDir(std::string_view prefix = "tektii-", const std::filesystem::path& parent = {});
  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const { return path_; }
  // Gives the directory up: the destructor leaves it.
  std::filesystem::path release();

 private:
  std::filesystem::path path_;
};

}  // namespace tektii
