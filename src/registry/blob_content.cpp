#include "registry/blob_content.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tektii::registry {

class BlobContent::Slice : public ByteSource {
 public:
  Slice(BlobContent& content, std::uint64_t length) : content_(content), left_(length) {}

  std::size_t read(std::span<std::byte> out) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size()));
    if (wanted == 0) return 0;
    const std::size_t count = content_.source_->read(out.first(wanted));
    content_.position_ += count;
    left_ -= count;
    return count;
  }

 private:
  BlobContent& content_;
  std::uint64_t left_;
};

void BlobContent::seek(std::uint64_t offset) {
  if (!source_ || position_ > offset) {
    source_ = open_();
    position_ = 0;
  }
  std::vector<std::byte> skipped;
  while (position_ < offset) {
    skipped.resize(std::size_t{256} << 10U);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(offset - position_, skipped.size()));
    const std::size_t count = source_->read(std::span(skipped).first(wanted));
    if (count == 0) {
      throw Error(ErrorKind::failure, fmt::format("the data to be sent ended after {} bytes", position_));
    }
    position_ += count;
  }
}

std::unique_ptr<ByteSource> BlobContent::slice(std::uint64_t offset, std::uint64_t length) {
  seek(offset);
  return std::make_unique<Slice>(*this, length);
}

}  // namespace tektii::registry
