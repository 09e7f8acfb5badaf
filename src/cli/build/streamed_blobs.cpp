#include "streamed_blobs.hpp"

#include <utility>

namespace tektii::cli {
namespace {

class StreamedWriter : public store::BlobWriter {
 public:
  StreamedWriter(std::unique_ptr<store::BlobWriter> writer, const StreamedBlobs::Offer& offer)
      : writer_(std::move(writer)), offer_(offer) {}
  ~StreamedWriter() override {
    if (growing_) growing_->drop();  // does nothing once it is sealed
  }

  void write(ByteSpan data) override {
    writer_->write(data);
    size_ += data.size();
    if (growing_) {
      growing_->grew(size_);
    } else if (size_ >= StreamedBlobs::k_least_size) {
      growing_ = std::make_shared<oci::GrowingBlob>(writer_->reader());
      growing_->grew(size_);
      offer_(growing_);
    }
  }
  void finish() override { writer_->finish(); }

  store::BlobInfo commit(const std::optional<store::BlobInfo>& expected) override {
    auto info = writer_->commit(expected);
    if (growing_) growing_->seal({"", info.digest, info.size});
    return info;
  }

  BlobOpener reader() override { return writer_->reader(); }

 private:
  std::unique_ptr<store::BlobWriter> writer_;
  const StreamedBlobs::Offer& offer_;
  std::shared_ptr<oci::GrowingBlob> growing_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<store::BlobWriter> StreamedBlobs::create() {
  return std::make_unique<StreamedWriter>(blobs_.create(), offer_);
}

}  // namespace tektii::cli
