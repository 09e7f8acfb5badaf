#include "image_opener.hpp"

#include <tektii/oci/reference.hpp>
#include <tektii/store/layout.hpp>

namespace tektii::cli {
namespace {

// Shows an image under another name: a path of this machine must not get into annotations, or one commit would give two
// digests in two directories.
class RenamedImage : public oci::ImageSource {
 public:
  RenamedImage(std::unique_ptr<oci::ImageSource> image, std::string name)
      : image_(std::move(image)), name_(std::move(name)) {}

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token stop) override {
    auto resolved = image_->resolve(platform, std::move(stop));
    resolved.name = name_;
    return resolved;
  }
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    image_->fetch(blob, sink, std::move(stop));
  }

 private:
  std::unique_ptr<oci::ImageSource> image_;
  std::string name_;
};

}  // namespace

oci::ImageOpener make_image_opener(std::map<std::string, LayoutContext> layouts, registry::RegistryClient& client) {
  return [layouts = std::move(layouts), &client](const std::string& name) -> std::unique_ptr<oci::ImageSource> {
    if (name.rfind("oci-layout://", 0) == 0) {
      const auto layout = parse_layout(name);
      return std::make_unique<RenamedImage>(store::open_layout_image(layout.directory, layout.tag), "");
    }
    const auto reference = oci::ImageReference::parse(name);
    if (const auto layout = layouts.find(reference.str()); layout != layouts.end()) {
      return std::make_unique<RenamedImage>(store::open_layout_image(layout->second.directory, layout->second.tag),
                                            reference.str());
    }
    return client.image(reference);
  };
}

}  // namespace tektii::cli
