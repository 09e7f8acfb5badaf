#include "context_files.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace tektii::builder {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

store::FileStamp stamp_of(const struct stat& info) {
  return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
          nanoseconds(info.st_ctim)};
}

// Ends where the file ended when it was walked, and fails there when it is not that file any more. The change time
// can't be set back, so it tells of a write that restored the others.
class UnchangedFileSource : public ByteSource {
 public:
  UnchangedFileSource(UniqueFd fd, const ContextFile& seen) : fd_(std::move(fd)), seen_(seen), left_(seen.stamp.size) {}

  std::size_t read(std::span<std::byte> out) override {
    if (left_ == 0) {
      check();
      return 0;
    }
    const std::size_t wanted = left_ < out.size() ? static_cast<std::size_t>(left_) : out.size();
    while (true) {
      const ssize_t count = ::read(fd_.get(), out.data(), wanted);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw_errno("read " + seen_.path);
      if (count == 0) throw changed();
      left_ -= static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
  }

 private:
  void check() const {
    struct stat now {};
    if (::fstat(fd_.get(), &now) != 0) throw_errno(seen_.path);
    if (stamp_of(now) != seen_.stamp) throw changed();
  }

  Error changed() const {
    return Error(ErrorKind::failure, fmt::format("{} changed while it was being copied", seen_.path))
        .add_hint("build again when nothing writes to the context any more");
  }

  UniqueFd fd_;
  const ContextFile& seen_;
  std::uint64_t left_;
};

}  // namespace

bool is_known(const layer::ContentHash& hash) {
  return std::any_of(hash.begin(), hash.end(), [](std::uint8_t byte) { return byte != 0; });
}

ContextFiles::ContextFiles(const std::filesystem::path& root, store::StatCache* cache) : root_(root), cache_(cache) {}

ContextFile& ContextFiles::add(const fs::WalkEntry& walked) {
  ContextFile& file = files_.emplace_back();
  file.path = walked.path;
  file.stamp = {walked.device, walked.inode, walked.metadata.size, walked.mtime_nanoseconds, walked.ctime_nanoseconds};
  if (cache_ != nullptr) {
    if (const auto known = cache_->find(file.stamp)) file.hash = *known;
  }
  return file;
}

std::shared_ptr<const UniqueFd> ContextFiles::directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  const std::lock_guard lock(mutex_);
  if (last_directory_ != directory) {
    last_directory_fd_ = std::make_shared<const UniqueFd>(root_.open_no_symlinks(directory, O_PATH | O_DIRECTORY));
    last_directory_ = directory;
  }
  return last_directory_fd_;
}

std::unique_ptr<ByteSource> ContextFiles::open(const ContextFile& file) {
  const auto directory = directory_of(file.path);
  const auto slash = file.path.rfind('/');
  const char* name = file.path.c_str() + (slash == std::string::npos ? 0 : slash + 1);
  // O_NONBLOCK: what has become a fifo meanwhile must not be waited for.
  UniqueFd fd(::openat(directory->get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw_errno("open " + file.path);
  return std::make_unique<UnchangedFileSource>(std::move(fd), file);
}

std::string ContextFiles::content_id(ContextFile& file) {
  if (!is_known(file.hash)) {
    const auto source = open(file);
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{256} << 10U);
    for (auto n = source->read(buffer); n > 0; n = source->read(buffer)) hash.update(ByteSpan(buffer.data(), n));
    file.hash = hash.finish_bytes();
  }
  if (cache_ != nullptr) cache_->remember(file.stamp, file.hash);
  return Sha256::to_hex(file.hash);
}

}  // namespace tektii::builder
