#pragma once

#include <tektii/layer/layer_writer.hpp>
#include <tektii/oci/image.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/stream.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tektii::builder {

// An image in memory; its layers are in the store already.
class FakeImage : public oci::ImageSource {
 public:
  FakeImage(std::string name, oci::SealedImage sealed) : name_(std::move(name)), sealed_(std::move(sealed)) {}

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token) override {
    return oci::make_resolved_image(name_, sealed_.manifest, sealed_.manifest_bytes, sealed_.config_bytes, platform,
                                    std::nullopt);
  }
  void fetch(const oci::Descriptor&, ByteSink&, std::stop_token) override {
    throw Error(ErrorKind::network, "the layers of this image are in the store");
  }

 private:
  std::string name_;
  oci::SealedImage sealed_;
};

// The images that a test's builds can open, by the name they are opened with.
class FakeImages {
 public:
  // `config` as a base image would have it (diff_ids are filled in); `files` become its one layer.
  void add(const std::string& name, oci::ImageConfig config, store::BlobStore& blobs,
           const std::map<std::string, std::string>& files = {}) {
    std::vector<oci::Layer> layers;
    if (!files.empty()) {
      layer::LayerWriter writer(blobs, {});
      for (const auto& [path, content] : files) {
        fs::FileMetadata metadata;
        metadata.mode = 0644;
        metadata.size = content.size();
        writer.add(path, metadata, [content = content] { return std::make_unique<StringSource>(content); });
      }
      layers.push_back(writer.commit().layer);
      config.diff_ids = {layers.front().diff_id};
    }
    images_.emplace(name, oci::seal_image(config, layers, {}));
  }

  std::unique_ptr<oci::ImageSource> open(const std::string& name) const {
    const auto found = images_.find(name);
    if (found == images_.end()) throw Error(ErrorKind::network, "no registry in this test");
    return std::make_unique<FakeImage>(name, found->second);
  }

 private:
  std::map<std::string, oci::SealedImage> images_;
};

}  // namespace tektii::builder
