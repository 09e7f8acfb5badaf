#pragma once

#include <tektii/store/blob_store.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file_lock.hpp>
#include <tektii/util/hash.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>

namespace tektii::store {

// "<root>/blobs/sha256/<hex>"
std::filesystem::path blob_path_in(const std::filesystem::path& root, const oci::Digest& digest);

// Size of a blob in a layout; nullopt when it is not there.
std::optional<std::uint64_t> blob_size_in(const std::filesystem::path& root, const oci::Digest& digest);

// Whether what an open file holds, from its beginning, has the digest. Throws Error when it can't be read.
bool has_digest(int fd, const oci::Digest& digest, const std::stop_token& stop = {});

// True when the blob is there and its bytes have its digest. One that can't be read is not intact.
bool is_blob_intact(const std::filesystem::path& root, const oci::Descriptor& blob, const std::stop_token& stop);

// A blob that is being written to `temporary` (which may not exist yet, on the file system of `root`) and then renamed
// into the layout at `root`. The temporary file is unlinked unless commit() succeeded.
class BlobFile : public BlobWriter {
 public:
  BlobFile(std::filesystem::path root, std::filesystem::path temporary);
  BlobFile(const BlobFile&) = delete;
  BlobFile& operator=(const BlobFile&) = delete;
  ~BlobFile() override;

  void write(ByteSpan data) override;
  BlobOpener reader() override;
  BlobInfo commit(const std::optional<BlobInfo>& expected) override;

 protected:
  // What is held while the file gets its name.
  virtual std::optional<FileLock> guard(const std::filesystem::path& /*target*/) { return std::nullopt; }

 private:
  void start_writeback();

  std::filesystem::path root_;
  std::filesystem::path temporary_;  // empty once it is renamed
  UniqueFd fd_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
  std::uint64_t writeback_started_ = 0;
};

}  // namespace tektii::store
