#include "image_opener.hpp"

#include "cli/images/image_name.hpp"
#include "context/layout.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/store/layout.hpp>

#include <utility>

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

std::unique_ptr<oci::ContentSource> open_archive(const ImageName& name, const std::filesystem::path& scratch) {
  if (name.transport == ImageName::Transport::oci_archive) {
    return layer::open_oci_archive(name.path, name.tag, scratch, {});
  }
  const auto reference = name.reference ? std::optional(name.reference->str()) : std::nullopt;
  return layer::open_docker_archive(name.path, reference, scratch, {});
}

}  // namespace

oci::ImageOpener make_image_opener(registry::RegistryClient& client, std::filesystem::path scratch) {
  return [&client, scratch = std::move(scratch)](const std::string& name) -> std::unique_ptr<oci::ImageSource> {
    if (name.starts_with(k_layout_scheme)) {
      const auto layout = parse_layout(name);
      return std::make_unique<UnnamedImage>(store::open_layout_image(layout.directory, layout.tag));
    }
    if (const auto file = parse_archive_name(name)) {
      return oci::make_content_image(open_archive(*file, scratch), "");  // it has no name either
    }
    return client.image(oci::ImageReference::parse(name));
  };
}

}  // namespace tektii::cli
