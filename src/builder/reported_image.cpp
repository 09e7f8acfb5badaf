#include "reported_image.hpp"

#include <tektii/builder/byte_meter.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::builder {
namespace {

class ReportedImage : public oci::ImageSource {
 public:
  ReportedImage(std::unique_ptr<oci::ImageSource> image, ProgressSink& progress)
      : image_(std::move(image)), progress_(progress) {}

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token stop) override {
    return image_->resolve(platform, std::move(stop));
  }

  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    ProgressStep step(progress_,
                      fmt::format("[internal] fetch layer {} ({})", blob.digest.short_hex(), format_bytes(blob.size)),
                      [stop] { return stop.stop_requested(); });
    {
      ByteMeter meter(progress_, step.id(), Activity::download, blob.size);
      MeteredSink metered(sink, meter);
      image_->fetch(blob, metered, stop);
    }
    step.finish(StepOutcome::done);
  }

 private:
  std::unique_ptr<oci::ImageSource> image_;
  ProgressSink& progress_;
};

}  // namespace

std::shared_ptr<oci::ImageSource> report_fetches(std::unique_ptr<oci::ImageSource> image, ProgressSink& progress) {
  return std::make_shared<ReportedImage>(std::move(image), progress);
}

}  // namespace tektii::builder
