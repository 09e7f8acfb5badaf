#include "layer/spool_file.hpp"
#include "layer/tar_file.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace tektii::layer {

namespace {

constexpr std::size_t k_max_document = 4U << 20;
constexpr std::size_t k_max_images = 1000;
constexpr std::size_t k_max_layers = 1000;

struct ListedImage {
  std::string config;
  std::vector<std::string> tags;
  std::vector<std::string> layers;
};

[[noreturn]] void fail_list(const std::string& shown) {
  throw Error(ErrorKind::failure, shown + ": manifest.json is not the list of images that docker writes");
}

std::vector<std::string> read_strings(const nlohmann::json& object, const char* name, const std::string& shown) {
  std::vector<std::string> texts;
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return texts;
  if (!found->is_array() || found->size() > k_max_layers) fail_list(shown);
  for (const auto& text : *found) {
    if (!text.is_string()) fail_list(shown);
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::vector<ListedImage> read_list(const TarFile& tar, const std::string& shown) {
  if (!tar.size_of("manifest.json")) {
    throw Error(ErrorKind::usage, shown + " is no docker-archive: it has no manifest.json")
        .add_hint(
            "archives that Docker wrote before version 1.10 are not supported; use oci-archive: for an OCI layout");
  }
  const auto source = tar.open("manifest.json");
  const auto json = nlohmann::json::parse(read_all(*source, k_max_document), nullptr, false);
  if (!json.is_array() || json.size() > k_max_images) fail_list(shown);
  std::vector<ListedImage> images;
  for (const auto& item : json) {
    if (!item.is_object() || !item.contains("Config") || !item["Config"].is_string()) fail_list(shown);
    images.push_back({item["Config"].get<std::string>(), read_strings(item, "RepoTags", shown),
                      read_strings(item, "Layers", shown)});
  }
  return images;
}

// "localhost/app:1" and "app:1" are written in the short form or the long one.
std::string full_name(const std::string& tag) {
  try {
    return oci::ImageReference::parse(tag).str();
  } catch (const Error&) {
    return tag;  // podman has names that are no references
  }
}

ListedImage select_image(std::vector<ListedImage> images, const std::optional<std::string>& reference,
                         const std::string& shown) {
  if (images.empty()) throw Error(ErrorKind::usage, shown + " holds no image");
  if (!reference && images.size() == 1) return std::move(images.front());
  std::vector<std::string> names;
  for (auto& image : images) {
    for (const auto& tag : image.tags) {
      if (reference && full_name(tag) == full_name(*reference)) return std::move(image);
      names.push_back(escape_control(tag));
    }
  }
  throw Error(ErrorKind::usage, reference ? fmt::format("{} has no image {}", shown, *reference)
                                          : fmt::format("{} holds several images; name one", shown))
      .add_hint(names.empty() ? "the images in it have no names" : "images in it: " + join(names, ", "));
}

Compression compression_of(const TarFile& tar, const std::string& name) {
  std::array<std::byte, 6> head{};
  const auto source = tar.open(name);
  return detect_compression(ByteSpan(head).first(read_full(*source, head)));
}

class HashSource : public ByteSource {
 public:
  explicit HashSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}
  std::size_t read(std::span<std::byte> out) override {
    const auto n = source_->read(out);
    hash_.update(ByteSpan(out).first(n));
    size_ += n;
    return n;
  }
  oci::Digest digest() { return oci::Digest::of_hex(hash_.finish_hex()); }
  std::uint64_t size() const { return size_; }

 private:
  std::unique_ptr<ByteSource> source_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

class NullSink : public ByteSink {
 public:
  void write(ByteSpan /*data*/) override {}
};

class SpoolSink : public ByteSink {
 public:
  explicit SpoolSink(const SpoolFile& file) : file_(file) {}
  void write(ByteSpan data) override {
    file_.write(size_, data);
    hash_.update(data);
    size_ += data.size();
  }
  oci::Digest digest() { return oci::Digest::of_hex(hash_.finish_hex()); }
  std::uint64_t size() const { return size_; }

 private:
  const SpoolFile& file_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

class DockerArchive : public oci::ContentSource {
 public:
  DockerArchive(TarFile tar, ListedImage image, std::string shown, std::filesystem::path scratch)
      : tar_(std::move(tar)), image_(std::move(image)), shown_(std::move(shown)), scratch_(std::move(scratch)) {}

  oci::Document read_top(std::stop_token stop) override {
    const std::lock_guard lock(mutex_);
    if (!top_) read(stop);
    return *top_;
  }
  oci::Document read_manifest(const oci::Descriptor& manifest, std::stop_token stop) override {
    auto top = read_top(std::move(stop));
    if (top.descriptor.digest == manifest.digest) return top;
    throw Error(ErrorKind::failure, fmt::format("{} has no manifest {}", shown_, manifest.digest.str()));
  }
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    const auto found = blobs_.find(blob.digest);
    if (found == blobs_.end()) {
      throw Error(ErrorKind::failure, fmt::format("{} has no blob {}", shown_, blob.digest.str()));
    }
    HashSource source(found->second());
    copy_stream(source, sink, stop);
    if (source.size() == blob.size && source.digest() == blob.digest) return;
    throw Error(ErrorKind::failure, fmt::format("{} changed while it was read", shown_));
  }

 private:
  void read(const std::stop_token& stop) {
    const auto config_size = tar_.size_of(image_.config);
    if (!config_size || *config_size > k_max_document) {
      throw Error(ErrorKind::failure, fmt::format("{}: the config {} is {}", shown_, escape_control(image_.config),
                                                  config_size ? "too large" : "missing"));
    }
    const auto config_source = tar_.open(image_.config);
    const auto config_bytes = read_all(*config_source, k_max_document);
    const auto config = oci::ImageConfig::parse(config_bytes);
    if (config.diff_ids.size() != image_.layers.size()) {
      throw Error(ErrorKind::failure, fmt::format("{}: there are {} layers, but the config has {} diff_ids", shown_,
                                                  image_.layers.size(), config.diff_ids.size()));
    }
    oci::Manifest manifest{std::string(oci::k_media_manifest),
                           {std::string(oci::k_media_config), oci::Digest::of_bytes(config_bytes), config_bytes.size()},
                           {}};
    blobs_.emplace(manifest.config.digest, [config_bytes] { return std::make_unique<StringSource>(config_bytes); });
    std::map<oci::Digest, oci::Descriptor> known;  // by diff_id: a layer may be there several times
    for (std::size_t i = 0; i < image_.layers.size(); ++i) {
      const auto& diff_id = config.diff_ids[i];
      auto found = known.find(diff_id);
      if (found == known.end()) found = known.emplace(diff_id, read_layer(image_.layers[i], diff_id, stop)).first;
      manifest.layers.push_back(found->second);
    }
    auto bytes = manifest.serialise();
    oci::Descriptor descriptor{manifest.media_type, oci::Digest::of_bytes(bytes), bytes.size()};
    top_ = oci::Document{std::move(descriptor), std::move(bytes)};
  }

  oci::Descriptor read_layer(const std::string& name, const oci::Digest& diff_id, const std::stop_token& stop) {
    const auto compression = compression_of(tar_, name);
    return compression == Compression::none ? compress_layer(name, diff_id, stop)
                                            : take_layer(name, compression, diff_id, stop);
  }

  oci::Descriptor take_layer(const std::string& name, Compression compression, const oci::Digest& diff_id,
                             const std::stop_token& stop) {
    auto counted = std::make_unique<HashSource>(tar_.open(name));
    auto& raw = *counted;
    HashSource plain(make_decompressor(compression, std::move(counted)));
    NullSink nowhere;
    copy_stream(plain, nowhere, stop);
    check_diff_id(name, plain, diff_id);
    const auto type = compression == Compression::gzip ? oci::k_media_layer_gzip : oci::k_media_layer_zstd;
    oci::Descriptor blob{std::string(type), raw.digest(), raw.size()};
    // The decompressor has read to the end of the member, padding behind the stream included.
    blobs_.emplace(blob.digest, [this, name] { return tar_.open(name); });
    return blob;
  }

  oci::Descriptor compress_layer(const std::string& name, const oci::Digest& diff_id, const std::stop_token& stop) {
    auto file = std::make_shared<SpoolFile>(scratch_);
    SpoolSink spool(*file);
    HashSource plain(tar_.open(name));
    const auto compressor = make_compressor({}, spool);
    copy_stream(plain, *compressor, stop);
    compressor->finish();
    check_diff_id(name, plain, diff_id);
    const auto size = spool.size();
    oci::Descriptor blob{std::string(oci::k_media_layer_gzip), spool.digest(), size};
    blobs_.emplace(blob.digest, [file, size] { return open_spooled(file, 0, size); });
    return blob;
  }

  void check_diff_id(const std::string& name, HashSource& plain, const oci::Digest& diff_id) const {
    const auto digest = plain.digest();
    if (digest == diff_id) return;
    throw Error(ErrorKind::failure, fmt::format("{}: the layer {} is {}, but the config's diff_id for it is {}", shown_,
                                                escape_control(name), digest.str(), diff_id.str()));
  }

  TarFile tar_;
  ListedImage image_;
  std::string shown_;
  std::filesystem::path scratch_;
  std::mutex mutex_;
  std::optional<oci::Document> top_;
  std::map<oci::Digest, BlobOpener> blobs_;  // written before the first document is out
};

}  // namespace

std::unique_ptr<oci::ContentSource> open_docker_archive(const std::filesystem::path& file,
                                                        const std::optional<std::string>& reference,
                                                        const std::filesystem::path& scratch,
                                                        const std::stop_token& stop) {
  TarFile tar(file, scratch, stop);
  auto image = select_image(read_list(tar, file.string()), reference, file.string());
  return std::make_unique<DockerArchive>(std::move(tar), std::move(image), file.string(), scratch);
}

}  // namespace tektii::layer
