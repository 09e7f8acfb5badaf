#include "sandbox/template_image.hpp"

#include <tektii/oci/image.hpp>

namespace tektii::sandbox {

void publish_template_image(const Version& version, store::Store& store, RepositoryStore& repositories,
                            ManifestRoutes& manifests) {
  oci::ImageConfig config;
  config.config.labels["com.tektii.template"] = version.template_name;
  const oci::SealedImage image = oci::seal_image(config, {}, {});
  const auto writer = store.create();
  writer->write(as_byte_span(image.config_bytes));
  writer->commit(store::BlobInfo{image.config.digest, image.config.size});
  const std::string repository = image_repository(version.strategy_id);
  repositories.link_blob(repository, image.config.digest);
  manifests.publish(repository, version.id, image.manifest.media_type, image.manifest_bytes);
}

}  // namespace tektii::sandbox
