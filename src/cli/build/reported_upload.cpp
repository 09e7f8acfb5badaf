#include "reported_upload.hpp"

#include <tektii/builder/byte_meter.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace tektii::cli {
namespace {

// The step that an upload becomes.
class UploadStep {
 public:
  UploadStep(std::uint64_t size, ReportedAs as, builder::ProgressSink& progress, std::stop_token stop)
      : size_(size), as_(std::move(as)), progress_(progress), stop_(std::move(stop)) {}

  std::unique_ptr<ByteSource> open(const BlobOpener& open_blob) {
    if (!step_) {
      step_.emplace(progress_, as_.title, [stop = stop_] { return stop.stop_requested(); });
      step_->begin(builder::Activity::other);  // it may have to be fetched first
    }
    auto source = open_blob();
    if (meter_) {
      meter_->restart();
    } else {
      meter_ = std::make_shared<builder::ByteMeter>(progress_, step_->id(), as_.activity, size_);
    }
    return std::make_unique<builder::MeteredSource>(std::move(source), meter_);
  }

  // True when there was one.
  bool finish() {
    meter_.reset();
    if (step_) step_->finish(builder::StepOutcome::done);
    return step_.has_value();
  }
  void explain(const Error& error) const {
    if (step_ && error.kind() != ErrorKind::interrupted) progress_.step_output(step_->id(), error.message() + "\n");
  }

 private:
  std::uint64_t size_;
  ReportedAs as_;
  builder::ProgressSink& progress_;
  std::stop_token stop_;
  std::optional<builder::ProgressStep> step_;
  std::shared_ptr<builder::ByteMeter> meter_;  // before step_ goes, so declared behind it
};

}  // namespace

oci::BlobUpload upload_of(const oci::Layer& layer, const builder::EnsureBlob& ensure, store::BlobStore& blobs,
                          const std::stop_token& stop) {
  const auto open = [&blobs, layer, ensure, stop] {
    ensure(layer, stop);
    return blobs.open(layer.blob.digest);
  };
  return {layer.blob, open, layer.origin, open};
}

bool put_reported(oci::ImageTarget& target, const oci::BlobUpload& upload, builder::ProgressSink& progress,
                  const std::stop_token& stop) {
  const auto title = fmt::format("push layer {} ({})", upload.blob.digest.short_hex(), format_bytes(upload.blob.size));
  return put_reported([&](const oci::BlobUpload& reported) { target.put_blob(reported, stop); }, upload, {title},
                      progress, stop);
}

bool put_reported(const PutBlob& put, const oci::BlobUpload& upload, const ReportedAs& as,
                  builder::ProgressSink& progress, const std::stop_token& stop) {
  UploadStep step(upload.blob.size, as, progress, stop);
  auto reported = upload;
  reported.open = [&step, open = upload.open] { return step.open(open); };
  try {
    put(reported);
  } catch (const Error& error) {
    step.explain(error);
    throw;
  }
  return step.finish();
}

}  // namespace tektii::cli
