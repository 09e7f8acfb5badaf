#include "sandbox/uploads.hpp"

#include "sandbox/random.hpp"
#include <tektii/util/error.hpp>

namespace tektii::sandbox {
namespace {

constexpr std::size_t k_flush_size = 256 * 1024;
constexpr std::size_t k_id_bytes = 16;
constexpr std::chrono::hours k_idle_limit{1};

}  // namespace

Upload::Upload(std::string id, std::string repository, std::unique_ptr<store::BlobWriter> writer)
    : id_(std::move(id)), repository_(std::move(repository)), writer_(std::move(writer)) {}

void Upload::write(ByteSpan data) {
  pending_.insert(pending_.end(), data.begin(), data.end());
  if (pending_.size() >= k_flush_size) flush();
  size_ += data.size();
}

void Upload::flush() {
  try {
    writer_->write(pending_);
  } catch (const Error&) {
    writer_.reset();  // how much of it was written is not known, so nothing can follow
    throw;
  }
  pending_.clear();
}

CommitResult Upload::commit(const oci::Digest& digest) {
  flush();
  const std::unique_ptr<store::BlobWriter> writer = std::move(writer_);
  try {
    writer->commit(store::BlobInfo{digest, size_});
  } catch (const Error& error) {
    // The writer's contract names this text for content that is not what was announced; anything else is our failure.
    if (error.message().starts_with("digest mismatch")) return CommitResult::digest_mismatch;
    throw;
  }
  return CommitResult::committed;
}

std::shared_ptr<Upload> UploadSessions::start(const std::string& repository) {
  auto upload = std::make_shared<Upload>(random_hex(k_id_bytes), repository, store_.create());
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  std::erase_if(entries_, [now](const auto& entry) { return now - entry.second.used > k_idle_limit; });
  entries_[upload->id()] = {upload, now};
  return upload;
}

std::shared_ptr<Upload> UploadSessions::find(std::string_view repository, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.upload->repository() != repository) return nullptr;
  found->second.used = Clock::now();
  return found->second.upload;
}

void UploadSessions::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  entries_.erase(id);
}

}  // namespace tektii::sandbox
