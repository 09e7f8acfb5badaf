#include "layer/archive_output.hpp"
#include "layer/spool_file.hpp"
#include "layer/tar_encoder.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace tektii::layer {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t k_block = 512;
constexpr const char* k_image_name = "io.containerd.image.name";
constexpr const char* k_reference_type = "vnd.docker.reference.type";  // of BuildKit: the entry of an attestation
constexpr const char* k_ref_name = "org.opencontainers.image.ref.name";

// "1" of "127.0.0.1:5000/a:1"; empty when the reference has none.
std::string tag_of(const std::string& reference) {
  const std::size_t colon = reference.rfind(':');
  const std::size_t slash = reference.rfind('/');
  if (colon == std::string::npos || (slash != std::string::npos && colon < slash)) return "";
  return reference.substr(colon + 1);
}

// The members of the archive one behind the other; content is written into its place later.
class TarWriter {
 public:
  explicit TarWriter(ArchiveOutput& output) : output_(output) {}

  void add_directory(const std::string& path) {
    fs::FileMetadata metadata;
    metadata.type = fs::FileType::directory;
    metadata.mode = 0755;
    put_header(path, metadata);
  }
  void add_text(const std::string& path, const std::string& text) {
    const auto place = reserve(path, text.size());
    put_header_at(place, path, text.size());
    output_.write(place.content, as_byte_span(text));
    pad(place, text.size());
  }

  struct Place {
    std::uint64_t header = 0;
    std::uint64_t content = 0;
  };
  Place reserve(const std::string& path, std::uint64_t size) {
    const Place place{end_, end_ + header_of(path, size).size()};
    end_ = place.content + (size + k_block - 1) / k_block * k_block;
    return place;
  }
  void put_header_at(const Place& place, const std::string& path, std::uint64_t size) {
    output_.write(place.header, as_byte_span(header_of(path, size)));
  }
  void pad(const Place& place, std::uint64_t size) {
    static constexpr std::array<std::byte, k_block> k_zeros{};
    const auto rest = static_cast<std::size_t>(size % k_block);
    if (rest != 0) output_.write(place.content + size, ByteSpan(k_zeros).first(k_block - rest));
  }
  void end() {
    StringSink bytes;
    TarEncoder(bytes).end();
    output_.write(end_, as_byte_span(bytes.str()));
    output_.finish();
  }

 private:
  static std::string header_of(const std::string& path, std::uint64_t size) {
    fs::FileMetadata metadata;
    metadata.mode = 0644;
    metadata.size = size;
    StringSink bytes;
    TarEncoder(bytes).add(path, metadata);
    return bytes.take();
  }
  void put_header(const std::string& path, const fs::FileMetadata& metadata) {
    StringSink bytes;
    TarEncoder(bytes).add(path, metadata);
    output_.write(end_, as_byte_span(bytes.str()));
    end_ += bytes.str().size();
  }

  ArchiveOutput& output_;
  std::uint64_t end_ = 0;
};

// Writes into one member, and never beyond it.
class MemberSink : public ByteSink {
 public:
  MemberSink(ArchiveOutput& output, std::uint64_t offset, const oci::Descriptor& blob)
      : output_(output), offset_(offset), blob_(blob) {}

  void write(ByteSpan data) override {
    if (data.size() > blob_.size - written_) fail();
    output_.write(offset_ + written_, data);
    hash_.update(data);
    written_ += data.size();
  }
  // Throws Error{failure} unless it was the blob.
  void verify() {
    if (written_ != blob_.size) fail();
    const auto digest = oci::Digest::of_hex(hash_.finish_hex());
    if (digest == blob_.digest) return;
    throw Error(ErrorKind::failure,
                fmt::format("digest mismatch: expected {}, got {}", blob_.digest.str(), digest.str()));
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorKind::failure, fmt::format("blob {} does not have {} bytes", blob_.digest.str(), blob_.size));
  }

  ArchiveOutput& output_;
  std::uint64_t offset_;
  const oci::Descriptor& blob_;
  Sha256 hash_;
  std::uint64_t written_ = 0;
};

class SpoolSink : public ByteSink {
 public:
  explicit SpoolSink(const SpoolFile& file) : file_(file) {}
  void write(ByteSpan data) override {
    file_.write(size_, data);
    size_ += data.size();
  }
  std::uint64_t size() const { return size_; }

 private:
  const SpoolFile& file_;
  std::uint64_t size_ = 0;
};

class ArchiveTarget : public oci::ContentTarget {
 public:
  ArchiveTarget(std::unique_ptr<ArchiveOutput> output, ArchiveOptions options, std::filesystem::path scratch)
      : output_(std::move(output)), options_(std::move(options)), scratch_(std::move(scratch)), tar_(*output_) {}

  bool has(const oci::Descriptor& /*manifest*/, bool /*is_top*/, std::stop_token stop) override {
    throw_if_stopped(stop);
    return false;
  }

  void begin(const oci::Content& content, std::stop_token stop) override {
    throw_if_stopped(stop);
    const auto* const manifest = image_in(content);
    const bool is_image = manifest != nullptr && (!is_docker() || content.manifests.size() == 1);
    if (is_image) image_ = oci::Manifest::parse(manifest->bytes);
    if (is_docker()) {
      if (!is_image) {
        throw Error(ErrorKind::usage, "a docker-archive holds the image of one platform, this is an index")
            .add_hint("name one by --platform, or use oci-archive:FILE");
      }
    } else {
      tar_.add_directory("blobs");
      tar_.add_directory("blobs/sha256");
      std::map<oci::Digest, const std::string*> texts;
      for (const auto& document : content.manifests) texts.emplace(document.descriptor.digest, &document.bytes);
      for (const auto& [digest, text] : texts) tar_.add_text(blob_name(digest), *text);
    }
    for (const auto& blob : content.blobs) {
      if (is_decompressed(blob)) continue;
      places_.emplace(blob.digest, tar_.reserve(member_name(blob), blob.size));
    }
  }

  void put_blob(const oci::BlobUpload& upload, std::stop_token stop) override {
    const auto& blob = upload.blob;
    if (is_decompressed(blob)) return spool(upload, stop);
    const auto& place = places_.at(blob.digest);
    tar_.put_header_at(place, member_name(blob), blob.size);
    MemberSink sink(*output_, place.content, blob);
    const auto source = upload.open();
    copy_stream(*source, sink, stop);
    sink.verify();
    tar_.pad(place, blob.size);
  }

  void finish(const oci::Content& content, std::stop_token stop) override {
    for (const auto& blob : content.blobs) {
      const auto spooled = spooled_.find(blob.digest);
      if (spooled != spooled_.end()) add_spooled(blob, spooled->second, stop);
    }
    if (!is_docker()) tar_.add_text("index.json", index_json(content.top().descriptor));
    if (image_) tar_.add_text("manifest.json", docker_manifest_json());
    if (!is_docker()) tar_.add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    tar_.end();
  }

 private:
  struct Spooled {
    std::shared_ptr<SpoolFile> file;
    std::uint64_t size = 0;
  };

  // The one image of the content, with attestations beside it or without; null when there are several.
  static const oci::Document* image_in(const oci::Content& content) {
    const oci::Document* image = nullptr;
    for (const auto& document : content.manifests) {
      if (!oci::is_manifest(document.descriptor.media_type)) continue;
      if (is_attestation(content, document)) continue;
      if (image != nullptr) return nullptr;
      image = &document;
    }
    return image;
  }
  static bool is_attestation(const oci::Content& content, const oci::Document& document) {
    if (!oci::is_index(content.top().descriptor.media_type)) return false;
    const auto entries = oci::Index::parse(content.top().bytes).manifests;
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.digest == document.descriptor.digest && entry.annotations.contains(k_reference_type);
    });
  }

  bool is_docker() const { return options_.format == ArchiveFormat::docker; }
  bool is_decompressed(const oci::Descriptor& blob) const {
    return is_docker() && oci::to_oci_media_type(blob.media_type) == oci::k_media_layer_zstd;
  }

  static std::string blob_name(const oci::Digest& digest) { return "blobs/sha256/" + std::string(digest.hex()); }
  std::string member_name(const oci::Descriptor& blob) const {
    if (!is_docker()) return blob_name(blob.digest);
    const bool is_config = image_ && blob.digest == image_->config.digest;
    return std::string(blob.digest.hex()) + (is_config ? ".json" : ".tar");
  }

  void spool(const oci::BlobUpload& upload, const std::stop_token& stop) {
    Spooled spooled{std::make_shared<SpoolFile>(scratch_), 0};
    SpoolSink sink(*spooled.file);
    const auto source = make_decompressor(Compression::zstd, upload.open());
    copy_stream(*source, sink, stop);
    spooled.size = sink.size();
    const std::lock_guard lock(mutex_);
    spooled_.insert_or_assign(upload.blob.digest, std::move(spooled));
  }

  void add_spooled(const oci::Descriptor& blob, const Spooled& spooled, const std::stop_token& stop) {
    const auto place = tar_.reserve(member_name(blob), spooled.size);
    tar_.put_header_at(place, member_name(blob), spooled.size);
    const auto source = open_spooled(spooled.file, 0, spooled.size);
    std::vector<std::byte> buffer(256 * 1024);
    std::uint64_t written = 0;
    while (const auto n = source->read(buffer)) {
      throw_if_stopped(stop);
      output_->write(place.content + written, ByteSpan(buffer).first(n));
      written += n;
    }
    tar_.pad(place, spooled.size);
  }

  // One descriptor per name. io.containerd.image.name has the whole reference: `docker load` and `ctr import` read it.
  std::string index_json(const oci::Descriptor& top) const {
    oci::Index index;
    index.media_type = oci::k_media_index;
    for (const std::string& name : options_.names) {
      oci::Descriptor entry{top.media_type, top.digest, top.size};
      entry.annotations[k_image_name] = name;
      if (const std::string tag = tag_of(name); !tag.empty()) entry.annotations[k_ref_name] = tag;
      index.manifests.push_back(std::move(entry));
    }
    if (options_.names.empty()) {
      oci::Descriptor entry{top.media_type, top.digest, top.size};
      if (!options_.tag.empty()) entry.annotations[k_ref_name] = options_.tag;
      index.manifests.push_back(std::move(entry));
    }
    return index.serialise();
  }

  // docker's own list of the images in an archive; the names of files in it may be those of OCI blobs.
  std::string docker_manifest_json() const {
    Json entry;
    entry["Config"] = member_name(image_->config);
    entry["RepoTags"] = options_.names;
    entry["Layers"] = Json::array();
    for (const auto& layer : image_->layers) entry["Layers"].push_back(member_name(layer));
    return Json::array({std::move(entry)}).dump();
  }

  std::unique_ptr<ArchiveOutput> output_;
  ArchiveOptions options_;
  std::filesystem::path scratch_;
  TarWriter tar_;
  std::optional<oci::Manifest> image_;
  std::map<oci::Digest, TarWriter::Place> places_;
  std::mutex mutex_;
  std::map<oci::Digest, Spooled> spooled_;
};

}  // namespace

std::unique_ptr<oci::ContentTarget> open_archive_target(const std::filesystem::path& file,
                                                        const ArchiveOptions& options) {
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  return std::make_unique<ArchiveTarget>(std::make_unique<FileOutput>(file), options, directory);
}

std::unique_ptr<oci::ContentTarget> open_archive_stream(ByteSink& sink, const ArchiveOptions& options,
                                                        const std::filesystem::path& scratch) {
  return std::make_unique<ArchiveTarget>(std::make_unique<StreamOutput>(sink), options, scratch);
}

}  // namespace tektii::layer
