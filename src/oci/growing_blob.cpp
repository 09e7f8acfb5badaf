#include <tektii/oci/growing_blob.hpp>
#include <tektii/util/error.hpp>

#include <algorithm>
#include <utility>

namespace tektii::oci {

class GrowingBlob::Source : public ByteSource {
 public:
  Source(GrowingBlob& blob, std::stop_token stop) : blob_(blob), stop_(std::move(stop)) {}

  std::size_t read(std::span<std::byte> out) override {
    const std::uint64_t ready = blob_.wait_beyond(position_, stop_);
    if (ready == 0) return 0;
    if (!source_) source_ = blob_.written_();
    const std::size_t wanted = ready < out.size() ? static_cast<std::size_t>(ready) : out.size();
    const std::size_t count = source_->read(out.first(wanted));
    if (count == 0) throw Error(ErrorKind::failure, "a blob is shorter than what was written of it");
    position_ += count;
    return count;
  }

 private:
  GrowingBlob& blob_;
  std::stop_token stop_;
  std::unique_ptr<ByteSource> source_;
  std::uint64_t position_ = 0;
};

void GrowingBlob::grew(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  size_ = size;
  changed_.notify_all();
}

void GrowingBlob::seal(const Descriptor& blob) {
  const std::lock_guard lock(mutex_);
  size_ = blob.size;
  sealed_ = blob;
  changed_.notify_all();
}

void GrowingBlob::drop() {
  const std::lock_guard lock(mutex_);
  dropped_ = !sealed_;
  changed_.notify_all();
}

std::unique_ptr<ByteSource> GrowingBlob::open(const std::stop_token& stop) {
  return std::make_unique<Source>(*this, stop);
}

std::optional<Descriptor> GrowingBlob::sealed() const {
  const std::lock_guard lock(mutex_);
  return sealed_;
}

std::optional<Descriptor> GrowingBlob::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return sealed_ || dropped_; });
  throw_if_stopped(stop);
  return sealed_;
}

std::uint64_t GrowingBlob::wait_beyond(std::uint64_t position, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return size_ > position || sealed_ || dropped_; });
  throw_if_stopped(stop);
  if (dropped_) throw Error(ErrorKind::interrupted, "the blob is not made any more");
  return size_ - position;
}

}  // namespace tektii::oci
