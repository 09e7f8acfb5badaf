#include "layer/layer_reader.hpp"

#include "layer/layer_limits.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii::layer {

namespace {

// Gives back the bytes that were read to look at the start of a stream, then the rest of it.
class PeekedSource : public ByteSource {
 public:
  explicit PeekedSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {
    size_ = read_full(*source_, head_);
  }
  ByteSpan head() const { return ByteSpan(head_).first(size_); }
  std::size_t read(std::span<std::byte> out) override {
    if (position_ == size_) return source_->read(out);
    const std::size_t n = std::min(out.size(), size_ - position_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(position_), n, out.begin());
    position_ += n;
    return n;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::array<std::byte, 6> head_{};
  std::size_t size_ = 0;
  std::size_t position_ = 0;
};

// Hashes what passes through.
class HashingSource : public ByteSource {
 public:
  HashingSource(std::unique_ptr<ByteSource> source, std::stop_token stop)
      : source_(std::move(source)), stop_(std::move(stop)) {}
  std::size_t read(std::span<std::byte> out) override {
    throw_if_stopped(stop_);
    const std::size_t n = source_->read(out);
    hash_.update(out.first(n));
    return n;
  }
  std::string finish_hex() { return hash_.finish_hex(); }

 private:
  std::unique_ptr<ByteSource> source_;
  std::stop_token stop_;
  Sha256 hash_;
};

std::unique_ptr<ByteSource> open_uncompressed(store::BlobStore& store, const oci::Digest& digest) {
  auto peeked = std::make_unique<PeekedSource>(store.open(digest));
  const Compression type = detect_compression(peeked->head());
  if (type == Compression::none) return peeked;
  return make_decompressor(type, std::move(peeked));
}

std::size_t metadata_bytes(const LayerEntry& entry) {
  std::size_t total =
      sizeof(LayerEntry) + entry.path.size() + entry.hard_link_target.size() + entry.metadata.link_target.size();
  for (const auto& [name, value] : entry.metadata.xattrs) total += 64 + name.size() + value.size();
  return total;
}

// What a tar member means, or nullopt when it is to be ignored.
std::optional<LayerEntry> to_entry(TarMember& member) {
  MemberName name = classify_member(normalise_member_name(member.name));
  LayerEntry entry;
  entry.path = std::move(name.path);
  switch (name.kind) {
    case MemberName::Kind::ignored:
      return std::nullopt;
    case MemberName::Kind::whiteout:
      entry.kind = LayerEntry::Kind::whiteout;
      return entry;
    case MemberName::Kind::opaque:
      entry.kind = LayerEntry::Kind::opaque;
      return entry;
    case MemberName::Kind::file:
      break;
  }
  if (member.is_hard_link) {
    entry.kind = LayerEntry::Kind::hard_link;
    entry.hard_link_target = normalise_member_name(member.hard_link_target);
    if (entry.path.empty() || entry.hard_link_target.empty() || entry.path == entry.hard_link_target) {
      throw Error(ErrorKind::failure, fmt::format("hard link \"{}\" leads to itself or to the root", entry.path));
    }
    return entry;
  }
  entry.metadata = std::move(member.metadata);
  std::erase_if(entry.metadata.xattrs, [](const auto& xattr) { return is_overlay_xattr(xattr.first); });
  if (entry.path.empty() && entry.metadata.type != fs::FileType::directory) {
    throw Error(ErrorKind::failure, "the root of the layer is not a directory");
  }
  return entry;
}

class IgnoreContent : public LayerVisitor {
 public:
  void visit(const LayerEntry&, const Content&) override {}
};

LayerIndex read_members(ByteSource& source, LayerVisitor& visitor) {
  LayerIndex index;
  TarReader reader(source);
  TarMember member;
  TarBudget budget;
  while (reader.next(member)) {
    budget.take_member();
    std::optional<LayerEntry> entry = to_entry(member);
    if (!entry) continue;
    budget.take_metadata(metadata_bytes(*entry));
    const bool keep = entry->kind == LayerEntry::Kind::file && entry->metadata.type == fs::FileType::regular &&
                      entry->metadata.size <= k_max_account_file && is_account_file(entry->path);
    if (keep) entry->content.emplace(static_cast<std::size_t>(entry->metadata.size), '\0');
    const auto content = [&](const std::function<void(std::uint64_t, ByteSpan)>& sink) {
      reader.read_content([&](std::uint64_t offset, ByteSpan data) {
        if (keep) {
          std::transform(data.begin(), data.end(), entry->content->begin() + static_cast<std::ptrdiff_t>(offset),
                         [](std::byte b) { return static_cast<char>(b); });
        }
        if (sink) sink(offset, data);
      });
    };
    visitor.visit(*entry, content);
    // A no-op when the visitor has read it.
    if (keep) content({});
    index.entries.push_back(std::move(*entry));
  }
  return index;
}

void drain(ByteSource& source) {
  std::vector<std::byte> buffer(64 * 1024);
  while (source.read(buffer) != 0) continue;
}

}  // namespace

bool is_account_file(std::string_view path) {
  return path == "etc/passwd" || path == "etc/group";
}

LayerIndex read_layer(store::BlobStore& store, const oci::Layer& layer, LayerVisitor& visitor,
                      const std::stop_token& stop) {
  try {
    HashingSource source(open_uncompressed(store, layer.blob.digest), stop);
    LayerIndex index = read_members(source, visitor);
    // The tar may be followed by padding, which the diff_id covers too.
    drain(source);
    const oci::Digest actual = oci::Digest::of_hex(source.finish_hex());
    if (actual != layer.diff_id) {
      throw Error(ErrorKind::failure, fmt::format("the content does not match its diff_id: expected {}, got {}",
                                                  layer.diff_id.str(), actual.str()));
    }
    return index;
  } catch (Error& error) {
    error.add_context("layer " + layer.blob.digest.short_hex());
    throw;
  }
}

LayerIndex read_layer_index(store::BlobStore& store, const oci::Layer& layer, const std::stop_token& stop) {
  IgnoreContent ignore;
  return read_layer(store, layer, ignore, stop);
}

}  // namespace tektii::layer
