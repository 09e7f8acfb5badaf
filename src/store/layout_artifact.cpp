#include "store/blob_file.hpp"
#include "store/layout_files.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>

#include <algorithm>
#include <utility>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

// Also what a first run of a CI job finds, which makes the directory and has nothing to restore into it.
bool is_missing_or_empty(const fs::path& directory) {
  std::error_code failure;
  if (!fs::exists(directory, failure) && !failure) return true;
  return fs::is_directory(directory, failure) && fs::is_empty(directory, failure) && !failure;
}

class LayoutArtifact : public oci::ArtifactSource {
 public:
  LayoutArtifact(fs::path root, std::string name)
      : root_(std::move(root)), name_(std::move(name)), blobs_(open_layout_image(root_, name_)) {}

  std::optional<oci::Artifact> read(const oci::Platform& platform, std::stop_token stop) override {
    throw_if_stopped(stop);
    if (is_missing_or_empty(root_)) return std::nullopt;
    check_layout(root_);
    auto manifest = find_entry();
    if (!manifest) return std::nullopt;
    auto bytes = read_blob(root_, *manifest);
    if (oci::is_index(manifest->media_type)) {
      const auto index = oci::Index::parse(bytes);
      const auto* const found = index.find(platform);
      if (found == nullptr) return oci::Artifact{std::move(*manifest), std::move(bytes), {}};
      manifest = *found;
      bytes = read_blob(root_, *manifest);
    }
    auto config = read_blob(root_, oci::Manifest::parse(bytes).config);
    return oci::Artifact{std::move(*manifest), std::move(bytes), std::move(config)};
  }

  bool has_blob(const oci::Descriptor& blob, std::stop_token stop) override {
    throw_if_stopped(stop);
    return blob_size_in(root_, blob.digest) == blob.size;
  }

  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    blobs_->fetch(blob, sink, std::move(stop));
  }

 private:
  // The last entry that has the name: tools that append instead of replacing mean the newest.
  std::optional<oci::Descriptor> find_entry() const {
    const auto entries = oci::Index::parse(read_index_text(root_)).manifests;
    const auto found = std::find_if(entries.rbegin(), entries.rend(), [&](const auto& entry) {
      return ref_name_of(entry) == name_ || entry.digest.str() == name_;
    });
    if (found != entries.rend()) return *found;
    // skopeo copies to a layout without a tag unless it is given one.
    if (entries.size() == 1 && ref_name_of(entries.front()).empty() && !oci::Digest::is_valid(name_)) {
      return entries.front();
    }
    return std::nullopt;
  }

  fs::path root_;
  std::string name_;
  std::unique_ptr<oci::ImageSource> blobs_;
};

}  // namespace

std::unique_ptr<oci::ArtifactSource> open_layout_artifact(const fs::path& directory, const std::string& tag_or_digest) {
  return std::make_unique<LayoutArtifact>(directory, tag_or_digest);
}

}  // namespace tektii::store
