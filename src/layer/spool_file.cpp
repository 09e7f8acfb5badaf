#include "layer/spool_file.hpp"

#include <tektii/util/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace tektii::layer {

namespace {

class SpooledContent : public ByteSource {
 public:
  SpooledContent(std::shared_ptr<const SpoolFile> file, std::uint64_t offset, std::uint64_t size)
      : file_(std::move(file)), offset_(offset), left_(size) {}

  std::size_t read(std::span<std::byte> out) override {
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
    if (out.empty()) return 0;
    std::size_t n = file_->read(offset_, out);
    if (n == 0) {
      std::fill(out.begin(), out.end(), std::byte{0});
      n = out.size();
    }
    offset_ += n;
    left_ -= n;
    return n;
  }

 private:
  std::shared_ptr<const SpoolFile> file_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

}  // namespace

SpoolFile::SpoolFile(const std::filesystem::path& directory) : shown_(directory.string()) {
  std::string path = (directory / ".spool-XXXXXX").string();
  fd_ = UniqueFd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd_) throw_errno("can't make a temporary file in " + shown_);
  if (::unlink(path.c_str()) != 0) throw_errno("remove " + path);
}

void SpoolFile::write(std::uint64_t offset, ByteSpan data) const {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("write a temporary file in " + shown_);
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void SpoolFile::cut(std::uint64_t size) const {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) throw_errno("cut a temporary file in " + shown_);
}

std::size_t SpoolFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (true) {
    const ssize_t n = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw_errno("read a temporary file in " + shown_);
  }
}

std::unique_ptr<ByteSource> open_spooled(std::shared_ptr<const SpoolFile> file, std::uint64_t offset,
                                         std::uint64_t size) {
  return std::make_unique<SpooledContent>(std::move(file), offset, size);
}

}  // namespace tektii::layer
