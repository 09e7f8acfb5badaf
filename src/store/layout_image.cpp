#include "store/blob_file.hpp"
#include "store/layout_files.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr int k_max_nesting = 8;
constexpr std::size_t k_max_indexes = 100;
constexpr std::size_t k_max_manifest = 4 << 20;  // what registries promise to take (distribution-spec)

// Holds a blob to its size while it streams, in case the file changes meanwhile.
class CountingLimit : public ByteSink {
 public:
  CountingLimit(ByteSink& next, std::uint64_t limit) : next_(next), left_(limit) {}
  void write(ByteSpan data) override {
    if (data.size() > left_) throw Error(ErrorKind::failure, "the blob grew while it was read");
    left_ -= data.size();
    next_.write(data);
  }

 private:
  ByteSink& next_;
  std::uint64_t left_;
};

// Manifests below a list of descriptors, in order, with indexes inside indexes opened.
class ManifestCollector {
 public:
  explicit ManifestCollector(const fs::path& root) : root_(root) {}

  std::vector<oci::Descriptor> collect(const std::vector<oci::Descriptor>& entries) {
    descend(entries, 0);
    return std::move(found_);
  }

 private:
  void descend(const std::vector<oci::Descriptor>& entries, int depth) {
    if (depth > k_max_nesting)
      throw Error(ErrorKind::failure, fmt::format("indexes are nested deeper than {} levels", k_max_nesting));
    for (const auto& entry : entries) {
      if (oci::is_manifest(entry.media_type)) {
        found_.push_back(entry);
      } else if (oci::is_index(entry.media_type)) {
        if (++opened_ > k_max_indexes)
          throw Error(ErrorKind::failure, fmt::format("more than {} nested indexes", k_max_indexes));
        descend(oci::Index::parse(read_blob(root_, entry)).manifests, depth + 1);
      }
    }
  }

  const fs::path& root_;
  std::vector<oci::Descriptor> found_;
  std::size_t opened_ = 0;
};

// The manifest or index of a digest: an entry of index.json, else a blob that says itself what it is.
oci::Descriptor find_digest(const fs::path& root, const oci::Index& index, const oci::Digest& digest) {
  for (const auto& entry : index.manifests) {
    if (entry.digest == digest) return entry;
  }
  const auto size = blob_size_in(root, digest);
  if (!size || *size > k_max_manifest) {
    throw Error(ErrorKind::usage, fmt::format("{} has no image {}", root.string(), digest.str()))
        .add_hint(list_tags(index));
  }
  oci::Descriptor found{std::string(oci::k_media_manifest), digest, *size};
  if (read_blob(root, found).find("\"manifests\"") != std::string::npos) found.media_type = oci::k_media_index;
  return found;
}

std::vector<oci::Descriptor> select_entries(const fs::path& root, const oci::Index& index, const std::string& tag) {
  if (oci::Digest::is_valid(tag)) return {find_digest(root, index, oci::Digest::parse(tag))};
  if (index.manifests.empty()) throw Error(ErrorKind::usage, root.string() + " holds no image");
  if (tag.empty() && index.manifests.size() == 1) return index.manifests;
  if (auto entries = entries_tagged(index, tag.empty() ? "latest" : tag); !entries.empty()) return entries;
  // One image for several platforms may stand in index.json itself, without a tag.
  const bool is_one_image = std::all_of(index.manifests.begin(), index.manifests.end(),
                                        [](const auto& entry) { return entry.platform && ref_name_of(entry).empty(); });
  if (tag.empty() && is_one_image) return index.manifests;
  Error error(ErrorKind::usage, tag.empty() ? fmt::format("{} holds several images; name one by its tag", root.string())
                                            : fmt::format("{} has no image tagged \"{}\"", root.string(), tag));
  error.add_hint(list_tags(index));
  throw error;
}

class LayoutImage : public oci::ImageSource {
 public:
  LayoutImage(fs::path root, std::string tag) : root_(std::move(root)), tag_(std::move(tag)) {}

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token stop) override {
    throw_if_stopped(stop);
    try {
      check_layout(root_);
      return read_image(find_manifest(platform), platform);
    } catch (Error& error) {
      // The documented platform text stands alone.
      if (error.kind() != ErrorKind::platform_mismatch) error.add_context(name());
      throw;
    }
  }

  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    const auto path = blob_path_in(root_, blob.digest);
    const auto size = blob_size_in(root_, blob.digest);
    if (!size) throw Error(ErrorKind::failure, path.string() + ": the blob is missing");
    if (*size != blob.size)
      throw Error(ErrorKind::failure,
                  fmt::format("{}: size mismatch: expected {} bytes, got {}", path.string(), blob.size, *size));
    const auto source = open_source(path);
    CountingLimit limited(sink, blob.size);
    HashingSink hashed(limited);
    copy_stream(*source, hashed, stop);
    const auto digest = oci::Digest::of_hex(hashed.finish_hex());
    if (digest != blob.digest)
      throw Error(ErrorKind::failure, fmt::format("{}: digest mismatch: expected {}, got {}", path.string(),
                                                  blob.digest.str(), digest.str()));
  }

 private:
  std::string name() const {
    const char* mark = tag_.empty() ? "" : oci::Digest::is_valid(tag_) ? "@" : ":";
    return fmt::format("oci-layout://{}{}{}", root_.string(), mark, tag_);
  }

  oci::Descriptor find_manifest(const oci::Platform& platform) const {
    const auto index = oci::Index::parse(read_index_text(root_));
    oci::Index found;
    found.manifests = ManifestCollector(root_).collect(select_entries(root_, index, tag_));
    if (const auto* match = found.find(platform)) return *match;
    // An entry without a platform shows it in its config, which make_resolved_image checks.
    const auto bare =
        std::find_if(found.manifests.begin(), found.manifests.end(), [](const auto& entry) { return !entry.platform; });
    if (bare != found.manifests.end()) return *bare;
    oci::throw_platform_mismatch(platform, found.platforms());
  }

  oci::ResolvedImage read_image(const oci::Descriptor& manifest, const oci::Platform& platform) const {
    auto manifest_bytes = read_blob(root_, manifest);
    auto config_bytes = read_blob(root_, oci::Manifest::parse(manifest_bytes).config);
    return oci::make_resolved_image(name(), manifest, std::move(manifest_bytes), std::move(config_bytes), platform,
                                    std::nullopt);
  }

  fs::path root_;
  std::string tag_;
};

}  // namespace

std::unique_ptr<oci::ImageSource> open_layout_image(const fs::path& directory, const std::string& tag) {
  return std::make_unique<LayoutImage>(directory, tag);
}

}  // namespace tektii::store
