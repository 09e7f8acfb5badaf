#pragma once

#include <tektii/oci/digest.hpp>
#include <tektii/store/blob_store.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

enum class CommitResult { committed, digest_mismatch };

// A blob on its way in, over one request or several. Whoever writes or commits holds mutex().
class Upload : public ByteSink {
 public:
  Upload(std::string id, std::string repository, std::unique_ptr<store::BlobWriter> writer);

  const std::string& id() const { return id_; }
  const std::string& repository() const { return repository_; }
  std::timed_mutex& mutex() { return mutex_; }

  // Bytes received; may be read while another thread writes.
  std::uint64_t size() const { return size_; }
  // True once the upload was committed or refused: a request that waited for it has come too late.
  bool ended() const { return writer_ == nullptr; }

  void write(ByteSpan data) override;
  // Makes the bytes a blob of the store when they have this digest; discards them otherwise. Ends the upload.
  CommitResult commit(const oci::Digest& digest);

 private:
  void flush();

  std::string id_;
  std::string repository_;
  std::timed_mutex mutex_;
  std::unique_ptr<store::BlobWriter> writer_;
  std::vector<std::byte> pending_;  // the server hands out a few KiB at a time, too little for a write to disk
  std::atomic<std::uint64_t> size_ = 0;
};

// The open uploads, by id. They end with the process. Thread-safe.
class UploadSessions {
 public:
  explicit UploadSessions(store::BlobStore& store) : store_(store) {}

  // Also forgets uploads that nobody has touched for an hour.
  std::shared_ptr<Upload> start(const std::string& repository);
  // nullptr when there is none of this id in the repository.
  std::shared_ptr<Upload> find(std::string_view repository, const std::string& id);
  void remove(const std::string& id);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::shared_ptr<Upload> upload;
    Clock::time_point used;
  };

  store::BlobStore& store_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace tektii::sandbox
