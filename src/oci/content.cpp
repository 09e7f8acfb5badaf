#include "oci/json.hpp"
#include <tektii/oci/content.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <set>
#include <utility>

namespace tektii::oci {

namespace {

constexpr std::size_t k_max_config = 4U << 20;
constexpr std::size_t k_max_opened_indexes = 100;

class PlatformSearch {
 public:
  PlatformSearch(const ReadManifest& read, const Platform& platform) : read_(read), platform_(platform) {}

  std::optional<Descriptor> find(const std::string& index_bytes, int depth) {
    if (depth > k_max_index_nesting) {
      throw Error(ErrorKind::failure, fmt::format("indexes are nested deeper than {} levels", k_max_index_nesting));
    }
    const Index index = Index::parse(index_bytes);
    note(index.platforms());
    if (const auto* match = index.find(platform_); match != nullptr && is_manifest(match->media_type)) return *match;
    for (const auto& entry : index.manifests) {
      if (!is_index(entry.media_type) || !opened_.insert(entry.digest).second) continue;
      if (opened_.size() > k_max_opened_indexes) {
        throw Error(ErrorKind::failure, fmt::format("more than {} indexes inside an index", k_max_opened_indexes));
      }
      if (auto found = find(read_(entry).bytes, depth + 1)) return found;
    }
    return std::nullopt;
  }

  const std::string& platforms() const { return platforms_; }

 private:
  void note(const std::string& platforms) {
    if (platforms.empty()) return;
    platforms_ += (platforms_.empty() ? "" : ", ") + platforms;
  }

  const ReadManifest& read_;
  const Platform& platform_;
  std::set<Digest> opened_;
  std::string platforms_;
};

class ContentImage : public ImageSource {
 public:
  ContentImage(std::unique_ptr<ContentSource> content, std::string name)
      : content_(std::move(content)), name_(std::move(name)) {}

  ResolvedImage resolve(const Platform& platform, std::stop_token stop) override {
    Document document = select_platform(*content_, content_->read_top(stop), platform, stop);
    const Descriptor config = Manifest::parse(document.bytes).config;
    if (config.size > k_max_config) {
      throw Error(ErrorKind::failure, fmt::format("the image's config of {} is too large", format_bytes(config.size)));
    }
    StringSink bytes(k_max_config);
    content_->fetch(config, bytes, stop);
    return make_resolved_image(name_, document.descriptor, std::move(document.bytes), bytes.take(), platform,
                               content_->origin());
  }
  void fetch(const Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    content_->fetch(blob, sink, std::move(stop));
  }

 private:
  std::unique_ptr<ContentSource> content_;
  std::string name_;
};

}  // namespace

Document select_platform(const ReadManifest& read, Document top, const Platform& platform) {
  if (!is_index(top.descriptor.media_type)) return top;
  PlatformSearch search(read, platform);
  const auto found = search.find(top.bytes, 0);
  if (!found) throw_platform_mismatch(platform, search.platforms());
  return read(*found);
}

Document select_platform(ContentSource& source, Document top, const Platform& platform, const std::stop_token& stop) {
  const auto read = [&](const Descriptor& manifest) { return source.read_manifest(manifest, stop); };
  return select_platform(read, std::move(top), platform);
}

std::string media_type_of(const std::string& bytes, std::string_view declared) {
  if (is_index(declared) || is_manifest(declared)) return std::string(declared);
  const auto json = parse_document(bytes, "image manifest");
  const ObjectReader reader(json, "image manifest");
  // Refused with its name by the parser.
  if (reader.find("schemaVersion") != nullptr && reader.find_int("schemaVersion") == 1) Manifest::parse(bytes);
  if (const auto type = reader.find_string("mediaType")) return *type;
  return std::string(reader.find("manifests") != nullptr ? k_media_index : k_media_manifest);
}

void check_document(const Descriptor& expected, const std::string& bytes) {
  if (bytes.size() != expected.size) {
    throw Error(ErrorKind::content, fmt::format("size mismatch: {} is said to have {} bytes and has {}",
                                                expected.digest.str(), expected.size, bytes.size()));
  }
  const auto digest = Digest::of_bytes(bytes);
  if (digest == expected.digest) return;
  throw Error(ErrorKind::content,
              fmt::format("digest mismatch: expected {}, got {}", expected.digest.str(), digest.str()));
}

std::unique_ptr<ImageSource> make_content_image(std::unique_ptr<ContentSource> content, std::string name) {
  return std::make_unique<ContentImage>(std::move(content), std::move(name));
}

}  // namespace tektii::oci
