#include "store/blob_file.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_writeback_step = 8U << 20;

void verify(const BlobInfo& expected, const BlobInfo& got) {
  if (expected.size != got.size)
    throw Error(ErrorKind::failure, fmt::format("digest mismatch: expected {} ({} bytes), got {} bytes",
                                                expected.digest.str(), expected.size, got.size));
  if (expected.digest != got.digest)
    throw Error(ErrorKind::failure,
                fmt::format("digest mismatch: expected {}, got {}", expected.digest.str(), got.digest.str()));
}

std::size_t read_at(int fd, std::span<std::byte> out, std::uint64_t position, std::string_view name) {
  while (true) {
    const ssize_t count = ::pread(fd, out.data(), out.size(), static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(fmt::format("read {}", name));
    return static_cast<std::size_t>(count);
  }
}

// Reads a file whose descriptor others read as well, each from a place of its own.
class SharedFileSource : public ByteSource {
 public:
  SharedFileSource(std::shared_ptr<const UniqueFd> fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  std::size_t read(std::span<std::byte> out) override {
    const auto count = read_at(fd_->get(), out, position_, name_);
    position_ += count;
    return count;
  }

 private:
  std::shared_ptr<const UniqueFd> fd_;
  std::string name_;
  std::uint64_t position_ = 0;
};

}  // namespace

fs::path blob_path_in(const fs::path& root, const oci::Digest& digest) {
  return root / "blobs" / digest.algorithm() / digest.hex();
}

std::optional<std::uint64_t> blob_size_in(const fs::path& root, const oci::Digest& digest) {
  const auto path = blob_path_in(root, digest);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno("stat " + path.string());
  }
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

bool has_digest(int fd, const oci::Digest& digest, const std::stop_token& stop) {
  constexpr std::size_t k_buffer = 1U << 20;
  Sha256 hash;
  std::vector<std::byte> buffer(k_buffer);
  for (std::uint64_t position = 0;;) {
    throw_if_stopped(stop);
    const auto count = read_at(fd, buffer, position, "a blob");
    if (count == 0) return oci::Digest::of_hex(hash.finish_hex()) == digest;
    hash.update(ByteSpan(buffer).first(count));
    position += count;
  }
}

bool is_blob_intact(const fs::path& root, const oci::Descriptor& blob, const std::stop_token& stop) {
  if (blob_size_in(root, blob.digest) != blob.size) return false;
  const auto path = blob_path_in(root, blob.digest);
  try {
    return has_digest(open_file(path, O_RDONLY).get(), blob.digest, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::debug("{} can't be read: {}", path.string(), error.what());
    return false;
  }
}

BlobFile::BlobFile(fs::path root, fs::path temporary)
    : root_(std::move(root)),
      temporary_(std::move(temporary)),
      fd_(open_file(temporary_, O_WRONLY | O_CREAT | O_EXCL)) {}

BlobFile::~BlobFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void BlobFile::write(ByteSpan data) {
  if (!fd_) throw Error(ErrorKind::failure, "write to a blob that is committed already");
  write_fully(fd_.get(), data, temporary_.string());
  hash_.update(data);
  size_ += data.size();
  if (size_ - writeback_started_ >= k_writeback_step) start_writeback();
}

// Lets the disk work while the blob still grows, so that the sync in commit() has little left to wait for. Only a hint:
// errors of the disk show up there.
void BlobFile::start_writeback() {
  ::sync_file_range(fd_.get(), static_cast<off64_t>(writeback_started_),
                    static_cast<off64_t>(size_ - writeback_started_), SYNC_FILE_RANGE_WRITE);
  writeback_started_ = size_;
}

BlobOpener BlobFile::reader() {
  // The descriptor stays with the file when it gets another name.
  const auto shared = std::make_shared<const UniqueFd>(open_file(temporary_, O_RDONLY));
  return [shared, name = temporary_.string()] { return std::make_unique<SharedFileSource>(shared, name); };
}

BlobInfo BlobFile::commit(const std::optional<BlobInfo>& expected) {
  if (!fd_) throw Error(ErrorKind::failure, "a blob can be committed only once");
  const BlobInfo info{oci::Digest::of_hex(hash_.finish_hex()), size_};
  const auto fd = std::move(fd_);
  if (expected) verify(*expected, info);
  // Before the rename: a power cut could otherwise leave the name of the digest on a file without its bytes.
  if (::fdatasync(fd.get()) != 0 && errno != EINVAL) throw_errno("sync " + temporary_.string());
  const auto target = blob_path_in(root_, info.digest);
  const auto held = guard(target);
  // Over a blob of the same name too: it is the same, or it was damaged and is healed.
  if (::rename(temporary_.c_str(), target.c_str()) != 0) throw_errno("rename to " + target.string());
  temporary_.clear();
  return info;
}

}  // namespace tektii::store
