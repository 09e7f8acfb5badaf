#include "context_files.hpp"

#include <tektii/fs/capability.hpp>
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
  UnchangedFileSource(UniqueFd fd, const ContextFile& seen)
      : fd_(std::move(fd)), seen_(seen), left_(seen.stamp().size) {}

  std::size_t read(std::span<std::byte> out) override {
    if (left_ == 0) {
      check();
      return 0;
    }
    const std::size_t wanted = left_ < out.size() ? static_cast<std::size_t>(left_) : out.size();
    while (true) {
      const ssize_t count = ::read(fd_.get(), out.data(), wanted);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw_errno("read " + seen_.path());
      if (count == 0) throw changed();
      left_ -= static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
  }

 private:
  void check() const {
    struct stat now {};
    if (::fstat(fd_.get(), &now) != 0) throw_errno(seen_.path());
    if (stamp_of(now) != seen_.stamp()) throw changed();
  }

  Error changed() const {
    return Error(ErrorKind::failure, fmt::format("{} changed while it was being copied", seen_.path()))
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

std::unique_ptr<ByteSource> ContextFile::open() {
  auto fd = files_.open_file(*this);
  if (capability_ == Capability::unknown) files_.note_capability(*this, fs::read_capability(fd.get(), path()));
  return std::make_unique<UnchangedFileSource>(std::move(fd), *this);
}

std::string ContextFile::content_id() {
  if (!is_known(hash_)) {
    const auto source = open();
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{256} << 10U);
    for (auto n = source->read(buffer); n > 0; n = source->read(buffer)) hash.update(ByteSpan(buffer.data(), n));
    hash_ = hash.finish_bytes();
  }
  if (capability_ == Capability::unknown) files_.ask_capability(*this);
  const bool has_capability = capability_ == Capability::some;
  if (files_.cache_ != nullptr) files_.cache_->remember(stamp_, {hash_, has_capability});
  auto id = Sha256::to_hex(hash_);
  if (has_capability) id.append(" and capability ").append(files_.capability(*this));
  return id;
}

void ContextFile::complete(fs::FileMetadata& metadata) {
  if (capability_ == Capability::unknown) files_.ask_capability(*this);
  if (capability_ == Capability::some) metadata.xattrs.emplace(fs::k_capability, files_.capability(*this));
}

ContextFiles::ContextFiles(const std::filesystem::path& root, store::StatCache* cache) : root_(root), cache_(cache) {}

ContextFile& ContextFiles::add(const fs::WalkEntry& walked) {
  const std::string_view path = walked.path;
  const auto slash = path.rfind('/');
  const auto directory = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  if (directories_.empty() || directories_.back() != directory) directories_.emplace_back(directory);
  const store::FileStamp stamp{walked.device, walked.inode, walked.metadata.size, walked.mtime_nanoseconds,
                               walked.ctime_nanoseconds};
  std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  ContextFile& file = files_.emplace_back(*this, directories_.back(), std::move(name), stamp);
  if (cache_ != nullptr) {
    if (const auto known = cache_->find(stamp)) {
      file.hash_ = known->hash;
      file.capability_ = ContextFile::Capability::none;
      if (known->has_capability) ask_capability(file);
    }
  }
  return file;
}

std::shared_ptr<const UniqueFd> ContextFiles::opened(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (last_directory_ != &directory) {
    const std::string name = directory.empty() ? "." : directory;
    last_directory_fd_ = std::make_shared<const UniqueFd>(root_.open_no_symlinks(name, O_PATH | O_DIRECTORY));
    last_directory_ = &directory;
  }
  return last_directory_fd_;
}

UniqueFd ContextFiles::open_file(const ContextFile& file) {
  const auto directory = opened(file.directory_);
  // O_NONBLOCK: what has become a fifo meanwhile must not be waited for.
  UniqueFd fd(::openat(directory->get(), file.name_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw_errno("open " + file.path());
  return fd;
}

// By name, for files that need not be read: an empty one may be unreadable.
void ContextFiles::ask_capability(ContextFile& file) {
  const auto directory = opened(file.directory_);
  note_capability(file, fs::read_capability_at(directory->get(), file.name_, file.path()));
}

void ContextFiles::note_capability(ContextFile& file, std::optional<std::string> value) {
  file.capability_ = value ? ContextFile::Capability::some : ContextFile::Capability::none;
  if (!value) return;
  const std::lock_guard lock(mutex_);
  capabilities_.insert_or_assign(&file, std::move(*value));
}

std::string ContextFiles::capability(const ContextFile& file) {
  const std::lock_guard lock(mutex_);
  return capabilities_.at(&file);
}

}  // namespace tektii::builder
