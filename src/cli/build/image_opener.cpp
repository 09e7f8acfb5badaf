#include "image_opener.hpp"

#include "options.hpp"
#include <tektii/oci/reference.hpp>
#include <tektii/store/layout.hpp>

namespace tektii::cli {
namespace {

class UnnamedImage : public oci::ImageSource {
 public:
  explicit UnnamedImage(std::unique_ptr<oci::ImageSource> image) : image_(std::move(image)) {}

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token stop) override {
    auto resolved = image_->resolve(platform, std::move(stop));
    resolved.name.clear();
    return resolved;
  }
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    image_->fetch(blob, sink, std::move(stop));
  }

 private:
  std::unique_ptr<oci::ImageSource> image_;
};

}  // namespace

oci::ImageOpener make_image_opener(registry::RegistryClient& client) {
  return [&client](const std::string& name) -> std::unique_ptr<oci::ImageSource> {
    if (name.rfind("oci-layout://", 0) == 0) {
      const auto layout = parse_layout(name);
      return std::make_unique<UnnamedImage>(store::open_layout_image(layout.directory, layout.tag));
    }
    return client.image(oci::ImageReference::parse(name));
  };
}

}  // namespace tektii::cli
