#include "layer/layer_pipeline.hpp"
#include "layer/layer_reader.hpp"
#include "layer/member_name.hpp"
#include "layer/tar_encoder.hpp"
#include <tektii/layer/layer_writer.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

namespace tektii::layer {

namespace {

std::string_view media_type_of(Compression type) {
  switch (type) {
    case Compression::none:
      return oci::k_media_layer;
    case Compression::gzip:
      return oci::k_media_layer_gzip;
    case Compression::zstd:
      return oci::k_media_layer_zstd;
  }
  throw Error(ErrorKind::failure, "unknown compression");
}

// What was given must be what reading the tar gives back, else the index would differ from that of a puller.
void check_name(const std::string& path) {
  if (is_plain_member_name(path)) return;
  if (path.empty() || normalise_member_name(path) != path) {
    throw Error(ErrorKind::failure, fmt::format("\"{}\" is no path for a layer entry", path));
  }
  if (classify_member(path).kind != MemberName::Kind::file) {
    throw Error(ErrorKind::failure, fmt::format("{}: names that start with \".wh.\" can't be stored in a layer", path));
  }
}

}  // namespace

struct LayerWriter::Impl {
  Impl(store::BlobStore& store, const CompressionOptions& options)
      : compression(options.type), blob(store.create()), pipeline(options, *blob), encoder(pipeline) {}

  void copy_content(const std::string& path, const BlobOpener& content, std::string* keep);
  const fs::FileMetadata& regular_file(const std::string& link, const std::string& path);

  Compression compression;
  std::unique_ptr<store::BlobWriter> blob;
  LayerPipeline pipeline;
  TarEncoder encoder;
  LayerIndex index;
  // Where the regular files are in the index, for hard links to them; those before `looked_at`.
  std::unordered_map<std::string, std::size_t> regular_files;
  std::size_t looked_at = 0;
};

LayerWriter::LayerWriter(store::BlobStore& store, const CompressionOptions& compression)
    : impl_(std::make_unique<Impl>(store, compression)) {}

LayerWriter::~LayerWriter() = default;

void LayerWriter::Impl::copy_content(const std::string& path, const BlobOpener& content, std::string* keep) {
  const auto changed = [&path] {
    return Error(ErrorKind::failure, fmt::format("{}: file changed while it was read", path));
  };
  const std::unique_ptr<ByteSource> source = content();
  while (encoder.missing_content() != 0) {
    auto room = pipeline.room();
    if (encoder.missing_content() < room.size()) room = room.first(static_cast<std::size_t>(encoder.missing_content()));
    const std::size_t n = source->read(room);
    if (n == 0) throw changed();
    if (keep != nullptr) keep->append(reinterpret_cast<const char*>(room.data()), n);
    pipeline.filled(n);
    if (n == encoder.missing_content()) pipeline.end_content();
    encoder.content_written(n);
  }
  std::byte more{};
  if (source->read({&more, 1}) != 0) throw changed();
}

// The files are looked up by name only once there is a link at all, which most layers have not.
const fs::FileMetadata& LayerWriter::Impl::regular_file(const std::string& link, const std::string& path) {
  for (; looked_at < index.entries.size(); ++looked_at) {
    const LayerEntry& entry = index.entries[looked_at];
    if (entry.kind == LayerEntry::Kind::file && entry.metadata.type == fs::FileType::regular) {
      regular_files.insert_or_assign(entry.path, looked_at);
    }
  }
  const auto it = regular_files.find(path);
  if (it == regular_files.end()) {
    throw Error(ErrorKind::failure, fmt::format("{}: hard link to \"{}\", which is not in the layer", link, path));
  }
  return index.entries[it->second].metadata;
}

void LayerWriter::reserve(std::size_t entries) {
  impl_->index.entries.reserve(entries);
}

void LayerWriter::add(std::string path, fs::FileMetadata metadata, const BlobOpener& content,
                      ContentHash* content_hash) {
  check_name(path);
  LayerEntry entry;
  entry.path = std::move(path);
  entry.metadata = std::move(metadata);
  const bool is_regular = entry.metadata.type == fs::FileType::regular;
  if (!is_regular) entry.metadata.size = 0;
  if (entry.metadata.type == fs::FileType::symlink) entry.metadata.mode = 0777;  // as every reader will have it
  if (is_regular && entry.metadata.size <= k_max_account_file && is_account_file(entry.path)) entry.content.emplace();
  impl_->encoder.add(entry.path, entry.metadata);
  if (is_regular) {
    impl_->pipeline.begin_content(content_hash);
    if (entry.metadata.size != 0) {
      impl_->copy_content(entry.path, content, entry.content ? &*entry.content : nullptr);
    } else {
      impl_->pipeline.end_content();
    }
  }
  impl_->index.entries.push_back(std::move(entry));
}

void LayerWriter::add_hard_link(const std::string& path, const std::string& target) {
  check_name(path);
  impl_->encoder.add_hard_link(path, target, impl_->regular_file(path, target));
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::hard_link;
  entry.path = path;
  entry.hard_link_target = target;
  impl_->index.entries.push_back(std::move(entry));
}

void LayerWriter::add_whiteout(const std::string& path, std::int64_t mtime) {
  check_name(path);
  std::string name(parent_path(path));
  if (!name.empty()) name += '/';
  name.append(".wh.").append(base_name(path));
  fs::FileMetadata metadata;
  metadata.mtime = mtime;
  impl_->encoder.add(name, metadata);
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::whiteout;
  entry.path = path;
  impl_->index.entries.push_back(std::move(entry));
}

bool LayerWriter::empty() const {
  return impl_->index.entries.empty();
}

WrittenLayer LayerWriter::commit() {
  impl_->encoder.end();
  impl_->pipeline.finish();
  const store::BlobInfo info = impl_->blob->commit(std::nullopt);
  oci::Descriptor blob{std::string(media_type_of(impl_->compression)), info.digest, info.size};
  oci::Layer layer{std::move(blob), oci::Digest::of_hex(impl_->pipeline.hash_hex())};
  return {std::move(layer), std::move(impl_->index)};
}

}  // namespace tektii::layer
