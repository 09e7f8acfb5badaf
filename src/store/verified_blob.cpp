#include "store/verified_blob.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <sys/stat.h>

#include <utility>

namespace tektii::store {

namespace {

std::uint64_t size_of_file(const UniqueFd& fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno("stat " + path);
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

VerifiedBlob::VerifiedBlob(UniqueFd fd, std::string path, oci::Digest digest, std::function<void(int fd)> on_damage)
    : size_(size_of_file(fd, path)),
      fd_(fd.get()),
      source_(std::move(fd), std::move(path)),
      digest_(std::move(digest)),
      on_damage_(std::move(on_damage)) {}

std::size_t VerifiedBlob::read(std::span<std::byte> out) {
  const auto count = source_.read(out);
  hash_.update(ByteSpan(out.first(count)));
  position_ += count;
  // A file that grows or shrinks while it is read has another hash too.
  if (position_ >= size_ || (count == 0 && !out.empty())) check();
  return count;
}

void VerifiedBlob::check() {
  if (std::exchange(checked_, true)) {
    if (position_ == size_) return;  // asked for more at the end
  } else if (position_ == size_ && oci::Digest::of_hex(hash_.finish_hex()) == digest_) {
    return;
  }
  on_damage_(fd_);
  throw Error(ErrorKind::damaged, fmt::format("blob {} was damaged in the store", digest_.str()))
      .add_hint("it was removed: build again, and it is fetched or made anew");
}

}  // namespace tektii::store
