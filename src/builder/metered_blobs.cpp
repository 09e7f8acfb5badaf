#include "metered_blobs.hpp"

#include <utility>

namespace tektii::builder {
namespace {

class MeteredWriter : public store::BlobWriter {
 public:
  MeteredWriter(std::unique_ptr<store::BlobWriter> writer, ProgressSink& progress, int step_id)
      : writer_(std::move(writer)), meter_(progress, step_id, Activity::write_layer) {}

  void write(ByteSpan data) override {
    writer_->write(data);
    meter_.add(data.size());
  }
  void finish() override { writer_->finish(); }
  store::BlobInfo commit(const std::optional<store::BlobInfo>& expected) override { return writer_->commit(expected); }
  BlobOpener reader() override { return writer_->reader(); }

 private:
  std::unique_ptr<store::BlobWriter> writer_;
  ByteMeter meter_;
};

}  // namespace

std::unique_ptr<store::BlobWriter> MeteredBlobs::create() {
  return std::make_unique<MeteredWriter>(blobs_.create(), progress_, step_id_);
}

}  // namespace tektii::builder
